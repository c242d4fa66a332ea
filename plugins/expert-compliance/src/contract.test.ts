import { expect, test } from "vitest";
import { legalBasisOf, readContract } from "./contract.ts";
import { placesOf } from "./places.ts";

test.each([
  ["Art. 6(1)(f) GDPR", "legitimate_interests"],
  ["Article 6 (1) lit. b", "contract"],
  ["6.1.c", "legal_obligation"],
  ["performance of a contract", "contract"],
  ["CONSENT", "consent"],
  ["consentimento do titular", "consent"],
  ["berechtigtes Interesse", "legitimate_interests"],
  ["legal-obligation", "legal_obligation"],
  ["vital interests", "vital_interests"],
  ["public interest", "public_task"],
  ["obligación legal", "legal_obligation"],
])("%s is the basis %s", (text, basis) => {
  expect(legalBasisOf(text)).toBe(basis);
});

test.each(["business need", "approved", "GDPR", "yes"])("%s is no legal basis", (text) => {
  expect(legalBasisOf(text)).toBeUndefined();
});

test("several bases are read from a list and from a map of purposes", () => {
  expect(readContract({ legal_basis: ["contract", "consent"] }).legal_basis.bases).toEqual(["contract", "consent"]);
  expect(
    readContract({ legal_basis: { billing: "contract", fraud: "legitimate interests" } }).legal_basis.bases,
  ).toEqual(["contract", "legitimate_interests"]);
});

test("keys match whatever their case and separators, the shallowest first", () => {
  expect(readContract({ "Data-Subjects": "customers" }).data_subjects).toMatchObject({
    state: "given",
    path: "Data-Subjects",
  });
  expect(readContract({ a: { retention: "1 year" }, retention: "2 years" }).retention.path).toBe("retention");
});

test("placeholders are silence, no and none are answers", () => {
  expect(readContract({ recipients: "TBD" }).recipients.state).toBe("absent");
  expect(readContract({ recipients: "none" }).recipients.state).toBe("denied");
  expect(readContract({ encryption: { at_rest: false } }).encryption_at_rest.state).toBe("denied");
});

test("contact data of a contract is pointed to, not repeated", () => {
  const { contact } = readContract({ owner: { email: "jane.doe@example.com" } });
  expect(contact).toMatchObject({ state: "given", text: "[contact as in the contract]", path: "owner.email" });
});

test.each([
  ["eu-central-1", "eea"],
  ["eu-west-2", "adequate"],
  ["europe-west6", "adequate"],
  ["us-east-1", "third"],
  ["Germany", "eea"],
  ["São Tomé", "unrecognised"],
  ["Switzerland", "adequate"],
  ["asia-south1", "third"],
])("%s is %s", (text, place) => {
  expect(placesOf([text])).toEqual([place]);
});

test("a text may name several places; none names none", () => {
  expect(placesOf(["Germany and Brazil", "none"])).toEqual(["eea", "third"]);
});
