import { expect, test } from "vitest";
import { isQuasiIdentifier, nameSignal, wordsOf } from "./name-signal.ts";

test.each([
  ["EmailAddress", "email"],
  ["contact_email_1", "email"],
  ["srcip", "ip_address"],
  ["client_ip_addr", "ip_address"],
  ["zipcode", "postcode"],
  ["dt_nascimento", "date_of_birth"],
  ["fechaNacimiento", "date_of_birth"],
  ["geburtsdatum", "date_of_birth"],
  ["data_urodzenia", "date_of_birth"],
  ["Prénom", "person_name"],
  ["nazwisko", "person_name"],
  ["apellido_paterno", "person_name"],
  ["codice_fiscale", "it_fiscal_code"],
  ["nr_cpf_cliente", "br_cpf"],
  ["customer.phoneNumber", "phone"],
  ["Straße", "street_address"],
  ["cvv2", "card_security_code"],
  ["mot_de_passe", "password"],
  ["blood_type", "health"],
  ["user_agent", "device_fingerprint"],
])("%s says %s", (name, entity) => {
  expect(nameSignal(name)).toMatchObject({ entity, strength: "strong" });
});

test.each([
  "email_verified",
  "phone_type",
  "address_id",
  "TelephoneCountryCode",
  "ip_version",
  "cc_type",
  "password_updated_at",
  "product_name",
  "file_name",
  "BillingAccountName",
  "destport",
  "description",
  "status",
  "amount",
  "transaction_id",
  "timezone",
  "",
  "constructor",
])("%s says nothing of a person", (name) => {
  expect(nameSignal(name)).toBeUndefined();
});

test("name is a person's in a table of people", () => {
  expect(nameSignal("name", "customers")?.strength).toBe("strong");
  expect(nameSignal("name", "products")?.strength).toBe("vague");
  expect(nameSignal("customer_name")?.strength).toBe("strong");
  expect(nameSignal("patient.name")?.strength).toBe("strong");
});

test("words come apart at case, digits, separators and known words", () => {
  expect(wordsOf("srcIp_addr2")).toEqual(["src", "ip", "addr", "2"]);
  expect(wordsOf("emailaddress")).toEqual(["email", "address"]);
});

test("quasi-identifiers are told by name", () => {
  expect(isQuasiIdentifier("customer_age")).toBe(true);
  expect(isQuasiIdentifier("marital_status")).toBe(true);
  expect(isQuasiIdentifier("page")).toBe(false);
});
