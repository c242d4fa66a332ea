// The SQL of the sample lake. Every random draw is `hash(row, salt, seed)`, so that one seed gives one lake.

/** Shape of the lake to be built. */
export interface LakeSize {
  /** Rows of `orders` and of `customer_transactions`. */
  readonly rows: number;
  /** Rows of `customers`. */
  readonly customers: number;
  /** Seed of every draw. */
  readonly seed: number;
}

/** Draws of one table: `uniform('salt')` is SQL for a number in [0, 1) that depends on the row `i`. */
function draws(table: string, seed: number) {
  const bits = (salt: string) => `hash(i, '${table}.${salt}', ${seed})`;
  return {
    uniform: (salt: string) => `((${bits(salt)} % 1000003) / 1000003.0)`,
    below: (salt: string, bound: number) => `CAST(${bits(salt)} % ${bound} AS BIGINT)`,
    pick: (salt: string, values: readonly string[]) =>
      `([${values.map((value) => `'${value}'`).join(", ")}])[1 + CAST(${bits(salt)} % ${values.length} AS BIGINT)]`,
  };
}

const FIRST_NAMES =
  "Olivia Liam Emma Noah Amelia Mateo Sofia Lucas Mia Ethan Chloe Hugo Léa Jonas Hannah Felix Clara Oscar Alice Rafael Beatriz Tiago Inês Aiko Haruto Priya Arjun Fatima Omar Zoë".split(
    " ",
  );
const LAST_NAMES =
  "Smith Johnson Brown Garcia Miller Davis Martinez Lopez Wilson Anderson Taylor Moore Jackson Martin Lee Müller Schmidt Weber Dubois Moreau Lefèvre Rossi Silva Santos Pereira Tanaka Sato Patel Sharma Hassan".split(
    " ",
  );
// Area codes in service of the United States; with 555-01xx they give numbers kept for fiction.
const AREA_CODES = (
  "201 202 206 212 213 214 215 216 302 303 305 310 312 313 314 315 401 402 404 405 410 412 413 414 415 501 502 503 504 505 508 " +
  "509 510 512 513 515 516 517 518 520 601 602 603 605 607 608 609 610 612 614 615 616 617 618 619 701 702 703 704 706 707 708 " +
  "712 713 714 715 716 717 718 719 720 801 802 803 804 805 806 808 810 812 813 814 815 816 817 818 901 903 904 906 907 908 909 " +
  "910 912 913 914 915 916 918 919 920"
).split(" ");

// 898 areas (001-899 without 666), 99 groups, 9999 serials: the ranges that a Social Security number may take.
const SSN_SPACE = 898n * 99n * 9999n;
// Coprime to SSN_SPACE, so that stepping by it visits every number once: no two customers share one.
const SSN_STEP = 611_953_291n;

/** `customers`: one row per person, with names, contact data and a Social Security number for residents of the US. */
export function customersSql({ customers, seed }: LakeSize): string {
  const draw = draws("customers", seed);
  const ssn = `((i * ${SSN_STEP} + ${seed} * 7919) % ${SSN_SPACE})`;
  return `
CREATE TABLE customers AS
WITH person AS (
  SELECT
    i,
    ${draw.pick("first", FIRST_NAMES)} AS first_name,
    ${draw.pick("last", LAST_NAMES)} AS last_name,
    CASE WHEN ${draw.uniform("country")} < 0.70 THEN 'US'
         ELSE ${draw.pick("abroad", ["GB", "DE", "FR", "DE", "FR", "GB", "DE"])} END AS country_code,
    ${ssn} AS ssn_number
  FROM range(${customers}) AS r(i)
)
SELECT
  CAST(100001 + i AS BIGINT) AS customer_id,
  first_name || ' ' || last_name AS full_name,
  lower(strip_accents(first_name || '.' || last_name)) || CAST(i + 1 AS VARCHAR) || '@'
    || ${draw.pick("mail", ["example.com", "example.org", "example.net"])} AS email,
  CASE
    WHEN ${draw.uniform("nophone")} < 0.03 THEN NULL
    WHEN country_code = 'US' THEN '+1 ' || ${draw.pick("area", AREA_CODES)} || '-555-01' || lpad(CAST(${draw.below("line", 100)} AS VARCHAR), 2, '0')
    WHEN country_code = 'GB' THEN '+44 7700 900' || lpad(CAST(${draw.below("line", 1000)} AS VARCHAR), 3, '0')
    WHEN country_code = 'DE' THEN '+49 30 23125' || lpad(CAST(${draw.below("line", 1000)} AS VARCHAR), 3, '0')
    ELSE '+33 6 39 98 ' || lpad(CAST(${draw.below("line", 100)} AS VARCHAR), 2, '0') || ' ' || lpad(CAST(${draw.below("line2", 100)} AS VARCHAR), 2, '0')
  END AS phone,
  CASE WHEN country_code = 'US' THEN
    lpad(CAST(ssn_number // 989901 + CASE WHEN ssn_number // 989901 >= 665 THEN 2 ELSE 1 END AS VARCHAR), 3, '0') || '-'
    || lpad(CAST((ssn_number // 9999) % 99 + 1 AS VARCHAR), 2, '0') || '-'
    || lpad(CAST(ssn_number % 9999 + 1 AS VARCHAR), 4, '0')
  END AS ssn,
  country_code,
  CAST(floor(50000 * pow(${draw.uniform("points")}, 3)) AS INTEGER) AS loyalty_points,
  DATE '2019-01-01' + CAST(${draw.below("since", 1826)} AS INTEGER) AS customer_since
FROM person
ORDER BY customer_id`;
}

/** `orders`: one row per order. Few customers order most; a store belongs to one country and sells in its currency. */
export function ordersSql({ rows, customers, seed }: LakeSize): string {
  const draw = draws("orders", seed);
  return `
CREATE TABLE orders AS
WITH placed AS (
  SELECT
    i,
    CAST(floor(${customers} * pow(${draw.uniform("customer")}, 2)) AS BIGINT) AS customer_index,
    CAST(floor(240 * pow(${draw.uniform("store")}, 1.6)) AS INTEGER) AS store_number,
    sqrt(-2 * ln(1 - ${draw.uniform("amount")})) * cos(2 * pi() * ${draw.uniform("angle")}) AS normal
  FROM range(${rows}) AS r(i)
)
SELECT
  CAST(7000001 + i AS BIGINT) AS order_id,
  CAST(100001 + customer_index AS BIGINT) AS customer_id,
  lpad(CAST(store_number + 1 AS VARCHAR), 4, '0') AS store_code,
  CAST(greatest(0.99, round(exp(3.7 + 0.85 * normal), 2)) AS DECIMAL(12, 2)) AS amount,
  CASE store_number % 8 WHEN 5 THEN 'GBP' WHEN 6 THEN 'EUR' WHEN 7 THEN 'EUR' ELSE 'USD' END AS currency,
  CASE WHEN ${draw.uniform("discounted")} < 0.35 THEN CAST(5 * (1 + ${draw.below("discount", 6)}) AS DECIMAL(5, 2)) END AS discount_percent,
  CASE WHEN ${draw.uniform("status")} < 0.88 THEN 'completed' WHEN ${draw.uniform("status")} < 0.94 THEN 'refunded'
       WHEN ${draw.uniform("status")} < 0.98 THEN 'pending' ELSE 'failed' END AS status,
  CASE WHEN ${draw.uniform("channel")} < 0.55 THEN 'web' WHEN ${draw.uniform("channel")} < 0.85 THEN 'app' ELSE 'store' END AS channel,
  CASE WHEN ${draw.uniform("payment")} < 0.62 THEN 'card' WHEN ${draw.uniform("payment")} < 0.86 THEN 'wallet'
       WHEN ${draw.uniform("payment")} < 0.96 THEN 'bank_transfer' ELSE 'gift_card' END AS payment_method,
  TIMESTAMP '2024-01-01 00:00:00' + to_seconds(${draw.below("time", 89_424_000)}) AS ordered_at
FROM placed
ORDER BY order_id`;
}

/** What `customer_transactions.sql` holds, and what builds the table. */
export const TRANSACTIONS_SQL = `-- Builds customer_transactions: one row per order, with the contact data of its customer.
CREATE TABLE customer_transactions AS
SELECT
  'TX' || lpad(CAST(o.order_id AS VARCHAR), 10, '0') AS transaction_id,
  o.order_id,
  o.customer_id,
  c.email,
  c.phone,
  c.ssn,
  c.country_code,
  o.store_code,
  o.amount,
  o.currency,
  o.discount_percent,
  o.status,
  o.channel,
  c.loyalty_points,
  o.ordered_at AS transaction_ts
FROM orders AS o
JOIN customers AS c
  ON c.customer_id = o.customer_id;
`;

/** What lies beside the data: who owns it and why it is kept. */
export const TRANSACTIONS_CONTRACT = `dataset: customer_transactions
version: 1.2.0
description: Orders of all channels joined with the contact data of the customer who placed them.
owner:
  team: payments-analytics
  email: payments-analytics@example.com
purpose: Reconciliation of payments and analysis of fraud.
legal_basis: contract
jurisdiction:
  - EU
  - US
classification: confidential
data_subjects: customers
recipients:
  - finance
  - fraud-prevention
storage:
  region: eu-central-1
  encryption_at_rest: true
  class: standard
refresh:
  frequency: daily
  mode: full
access:
  full_reads_per_month: 60
pipeline:
  runs_per_month: 30
  hours_per_run: 0.25
  executors: 2
  executor_price_per_hour: 0.23
keys:
  primary: [transaction_id]
  foreign:
    order_id: orders.order_id
    customer_id: customers.customer_id
`;
