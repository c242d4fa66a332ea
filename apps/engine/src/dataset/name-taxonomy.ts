// Words in the names of columns that hold personal data, in the languages that the corpus and the users speak
// (en, de, fr, es, pt, it, nl). Token lists follow the field taxonomies of Privado and Presidio in kind.

const words = (text: string) => new Set(text.split(/\s+/));

/** A single token that is enough. */
const TOKENS = words(`
email mail emails correo courriel
phone phones mobile telephone telefon telefono telefone tel cell cellphone msisdn fax handy portable celular
ssn itin ein tin sin nino nhs nif nie dni cpf cnpj rg pis pesel aadhaar pan tfn nir insee rut curp cedula bsn
passport pasaporte passaporto reisepass passeport visa license licence driverslicense führerschein
firstname lastname surname forename fullname givenname familyname middlename maiden nickname username login vorname nachname
prenom nom nombre nombres apellido apellidos nome sobrenome cognome naam achternaam voornaam initials
person persona contact holder cardholder payee payer passenger patient employee manager author owner signer salesperson rep
recipient sender beneficiary spouse mother father child guardian driver
address addresses addr street strasse straße adresse direccion endereco indirizzo rue calle rua adres plz
zip zipcode postcode postal postalcode cep cap city town ville stadt ciudad cidade citta county
dob birth birthday birthdate birthplace born geburt geburtsdatum geburtstag naissance nacimiento nascimento nascita
card creditcard pan cc cvv cvc ccn iban bic swift account acct konto compte cuenta conta routing sortcode
ip ipv4 ipv6 ipaddress mac macaddress imei imsi imeisv idfa gaid useragent
lat latitude lon lng long longitude geo coordinates location gps
password passwd pwd pass secret token apikey credential credentials hash salt pin otp session cookie signature
mrn npi diagnosis icd medical health disease condition allergy medication prescription blood
race ethnicity religion politics sexuality orientation gender sex genero geschlecht sexe
face fingerprint biometric iris dna plate vin
comment comments note notes message messages remark remarks description body text freetext narrative transcript
`);

/** `name` alone is personal unless what is named is a thing. */
const THINGS = words(`
product item store shop file event column table brand category type status state country region currency channel campaign plan
department team group class service app application host server domain model version project field key tag topic course
organization organisation company vendor supplier agency bank publisher station airport route species gene metric unit month day
sku resource instance provider pricing charge
`);

const IDENTIFIER_TOKENS = words("id ids uuid guid key pk fk identifier nr num no number ref reference code");

/** Tokens of a column's name: parts between separators and at changes of case, lower-case, without accents. */
export function tokensOf(name: string): string[] {
  return name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((token) => token !== "");
}

/** Word in a column's name that says that it holds personal data; undefined where there is none. */
export function personalWord(name: string): string | undefined {
  const tokens = tokensOf(name);
  const bare = tokens.map((token) => token.replace(/\d+$/, ""));
  const pairs = bare.slice(1).map((token, i) => `${bare[i]}${token}`);
  const hit = [...tokens, ...bare, ...pairs].find((token) => TOKENS.has(token));
  if (hit) return hit;
  const named = bare.some((token) => token === "name" || token === "names");
  return named && !bare.some((token) => THINGS.has(token)) ? "name" : undefined;
}

/** Whether a column's name says that its values identify rows: `customer_id`, `order key`. */
export function namesIdentifier(name: string): boolean {
  const last = tokensOf(name).at(-1) ?? "";
  return ["id", "ids", "uuid", "guid", "pk", "fk"].includes(last) || (last.endsWith("id") && /[a-z]Id$|ID$/.test(name));
}

/** Whether a column's name speaks of a thing, so that capitalised words in it are no names of people. */
export function namesThing(name: string): boolean {
  return tokensOf(name).some((token) => THINGS.has(token) && !IDENTIFIER_TOKENS.has(token));
}
