import type { EntityName } from "./entities.ts";

/**
 * Words that name a column of personal data, in English, Portuguese, Spanish, French, German, Italian, Polish, Dutch.
 * Phrases are lower case without accents; `strong` means what it says wherever it stands, `likely` needs values that
 * fit, `vague` needs a person in the context or values that show it.
 */
export type Strength = "strong" | "likely" | "vague";

type Phrases = Partial<Record<Strength, string>>;

/** Phrases by entity, separated by commas. */
export const TAXONOMY: Partial<Record<EntityName, Phrases>> = {
  email: {
    strong: `email, e mail, mail address, email address, email id, emailaddr, correo electronico, correo, courriel, adresse mail,
      adresse email, mail adresse, emailadresse, endereco de email, indirizzo email, posta elettronica, adres email, poczta elektroniczna`,
    likely: "mail",
  },
  phone: {
    strong: `phone, telephone, phone number, phone no, tel no, mobile number, mobile no, mobile phone, cell phone, cellphone, msisdn, telefone, celular,
      telefono, movil, telephone portable, numero de telephone, portable numero, telefonnummer, handynummer, telefon, handy, mobilnummer,
      cellulare, telefono cellulare, komorka, numer telefonu, telefoonnummer, whatsapp, fax, fax number, home phone, work phone, contact number`,
    likely: "tel, mobile, cell, fone, phones, gsm",
  },
  person_name: {
    strong: `first name, last name, full name, given name, family name, middle name, maiden name, surname, forename, fname, lname, mothers maiden,
      mother maiden name, mother name, father name, spouse name, nickname, first names, primeiro nome, nome completo, sobrenome, ultimo nome, nome da mae, apelido,
      nombre completo, primer nombre, apellido, apellidos, apellido paterno, apellido materno, prenom, nom de famille, nom complet, nom prenom,
      vorname, nachname, familienname, vollstandiger name, geburtsname, cognome, nome cognome, nome e cognome, imie, nazwisko, imie i nazwisko, nazwisko rodowe,
      voornaam, achternaam, cardholder, card holder, cardholder name, passenger name, account holder, beneficiary name, next of kin, emergency contact`,
    likely:
      "middle initial, first, surnames, contact person, ansprechpartner, titulaire, titular, kontoinhaber, signatory",
    vague:
      "name, names, nome, nombre, nom, naam, imiona, author, owner, person, contact, customer, patient, employee, passenger, player, actor, director, teacher, student",
  },
  street_address: {
    strong: `street address, home address, postal address, mailing address, address line, billing address, shipping address, delivery address, residential address,
      street name, addr line, endereco, logradouro, direccion, domicilio, adresse postale, adresse, anschrift, strasse, hausnummer, wohnadresse, indirizzo,
      residenza, adres, ulica, adres zamieszkania, straatnaam, house number, po box, calle, rue`,
    likely: "address, street, addr, address 1, address 2, rua, via, voie, domicile",
  },
  postcode: {
    strong: `zip code, zip, postcode, post code, postal code, postalcode, cep, codigo postal, code postal, postleitzahl, plz, cap code,
      codice postale, kod pocztowy, zip 4`,
    likely: "postal, cod postal, pin code, pincode",
  },
  latitude: { strong: "latitude, latitud, breitengrad, latitudine, szerokosc geograficzna", likely: "lat, geo lat" },
  longitude: {
    strong: "longitude, longitud, langengrad, longitudine, dlugosc geograficzna",
    likely: "lon, lng, long, geo lon, geo lng",
  },
  geo_coordinate: {
    likely:
      "gps, coordinates, coordinate, geolocation, geo point, lat lon, lat lng, coordenadas, koordinaten, location point",
  },
  date_of_birth: {
    strong: `date of birth, birth date, birthdate, birthday, dob, born, born on, born at, data de nascimento, data nascimento, dt nascimento, nascimento,
      fecha de nacimiento, fecha nacimiento, fecha nac, date de naissance, date naissance, naissance, geburtsdatum, geburtstag, geb datum, data di nascita,
      data nascita, data urodzenia, geboortedatum, birth day`,
    likely: "birth, year of birth, birth year, yob, ano de nascimento, annee de naissance, geburtsjahr",
  },
  username: {
    strong: `user name, username, login name, screen name, user login, nick, nick name, nombre de usuario, nome de usuario, nom d utilisateur, nom utilisateur,
      benutzername, nome utente, nazwa uzytkownika, gebruikersnaam, twitter handle, instagram handle, skype id, userid name`,
    likely: "login, handle, usuario, utilisateur, benutzer",
  },
  ip_address: {
    strong:
      "ip address, ip addr, ip, ipv 4, ipv 6, ipv4, ipv6, client ip, remote addr, adresse ip, direccion ip, endereco ip, ip adresse, indirizzo ip",
  },
  mac_address: { strong: "mac address, mac addr, adresse mac", likely: "mac, bssid, ether" },
  device_fingerprint: {
    strong:
      "device fingerprint, browser fingerprint, user agent, useragent, device id, imei, imsi, idfa, gaid, advertising id, android id, udid, serial imei, browser user agent",
    likely: "fingerprint, cookie id, session id, sessionid",
  },
  payment_card: {
    strong: `credit card, credit card number, card number, card no, cc number, cc num, cc no, debit card, pan number, payment card, numero do cartao, numero cartao, numero de tarjeta,
      tarjeta de credito, numero de carte, carte bancaire, kartennummer, kreditkarte, kreditkartennummer, carta di credito, numero carta, numer karty`,
    likely: "ccn, cc, card",
  },
  card_security_code: {
    strong:
      "cvv, cvv 2, cvv2, cvc, cvc 2, cvc2, card security code, security code, card verification, codigo de seguranca, kartenprufnummer",
  },
  iban: { strong: "iban, iban number, iban code" },
  bank_account: {
    strong:
      "bank account, bank account number, account number, acct number, acct no, account no, routing number, sort code, conta bancaria, conta corrente, numero de cuenta, cuenta bancaria, compte bancaire, kontonummer, numero conto, conto corrente, numer konta, rekeningnummer, clabe, bban",
  },
  crypto_wallet: {
    strong: "wallet address, bitcoin address, btc address, eth address, crypto wallet, ethereum address",
  },
  password: {
    strong:
      "password, passwd, pwd, passphrase, password hash, passcode, senha, contrasena, clave de acceso, mot de passe, passwort, kennwort, parola d ordine, haslo, wachtwoord, secret answer, security answer",
    likely: "pass, secret, salt",
  },
  access_token: {
    strong:
      "api key, apikey, secret key, access token, refresh token, auth token, bearer token, client secret, session token, private token, access key, aws secret",
    likely: "token, credential, credentials",
  },
  private_key: { strong: "private key, ssh key, pem key" },
  us_ssn: { strong: "ssn, social security, social security number, social security no, soc sec, ssn number, us ssn" },
  us_itin: { strong: "itin" },
  br_cpf: { strong: "cpf, numero cpf, cpf cliente, cpf cnpj" },
  br_cnpj: { strong: "cnpj" },
  uk_nino: { strong: "nino, national insurance, national insurance number, ni number" },
  uk_nhs: { strong: "nhs number, nhs no, nhs" },
  es_nif: { strong: "nie", likely: "dni" },
  it_fiscal_code: { strong: "codice fiscale, cod fiscale, fiscal code" },
  de_tax_id: { strong: "steuer id, steueridentifikationsnummer, steuernummer, idnr" },
  fr_nir: { likely: "nir", strong: "numero securite sociale, numero de securite sociale, securite sociale" },
  pl_pesel: { strong: "pesel" },
  in_aadhaar: { strong: "aadhaar, aadhar, uidai" },
  ca_sin: { strong: "social insurance number, sin number" },
  au_tfn: { strong: "tfn, tax file number" },
  au_medicare: { strong: "medicare number, medicare no" },
  se_personnummer: { strong: "personnummer" },
  kr_rrn: { strong: "rrn, resident registration number" },
  sg_nric: { strong: "nric" },
  us_npi: { strong: "npi, npi number" },
  us_mbi: { strong: "mbi" },
  national_id: {
    strong: `national id, national id number, national identity, national identification number, identity number, id card, identity card, citizen id, tax id, tax identification number,
      taxpayer id, tax number, social security id, documento de identidade, documento identidad, numero de documento, carteira de identidade, cedula, cedula de identidad,
      curp, bsn, ahv nummer, sozialversicherungsnummer, personalausweis, ausweisnummer, carte d identite, numero carta identita, dowod osobisty, numero contribuinte`,
    likely: "nif, rg, sin, tin, rut, nip, pis, nis, government id, gov id, documento, id number",
  },
  passport: {
    strong:
      "passport, passport number, passport no, passport id, passaporte, pasaporte, passeport, reisepass, reisepassnummer, passnummer, passaporto, paszport, numer paszportu",
  },
  driver_licence: {
    strong:
      "driver license, drivers license, driving licence, driver licence, drivers licence, driver license number, license number driver, cnh, carteira de motorista, permiso de conducir, permis de conduire, fuhrerschein, fuhrerscheinnummer, patente di guida, prawo jazdy, dl number",
  },
  licence_plate: {
    strong:
      "license plate, licence plate, number plate, plate number, matricula vehiculo, placa veiculo, immatriculation, kennzeichen, targa, vin number",
    likely: "vin",
  },
  health: {
    strong: `diagnosis, diagnoses, medical record, medical record number, mrn, medical history, icd code, icd 10, icd 9, icd10, icd9, disease, medication, prescription, allergies, allergy, blood type,
      blood group, disability, hiv status, mental health, health condition, health status, health insurance, insurance member id, pregnancy, diagnostico, enfermedad, medicamento, maladie, diagnostic medical,
      krankheit, diagnose, blutgruppe, versichertennummer, malattia, diagnosi, choroba, rozpoznanie, grupa krwi, tipo sanguineo`,
    likely: "symptoms, symptom, patient condition, cid 10",
  },
  ethnicity: {
    strong: "ethnicity, ethnic group, ethnic origin, racial origin, raca, etnia, ethnie, ethnische herkunft",
    likely: "race, raza, razza",
  },
  religion: {
    strong: "religion, religious affiliation, religiao, konfession, glaube, confession religieuse, wyznanie",
  },
  political_opinion: {
    strong:
      "political opinion, political party, political affiliation, party affiliation, voted for, opiniao politica, afiliacion politica",
  },
  trade_union: { strong: "trade union, union member, union membership, sindicato, gewerkschaft, syndicat" },
  sexual_life: {
    strong:
      "sexual orientation, sex life, orientacao sexual, orientacion sexual, orientation sexuelle, sexuelle orientierung",
  },
  biometric: {
    strong:
      "biometric, biometrics, face embedding, face encoding, fingerprint template, iris scan, voiceprint, retina scan, biometria",
  },
  genetic: { strong: "genetic data, genome, dna sequence, genotype, dna profile" },
};

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** People whose name, address or number a column may hold: makes a vague word a strong one. */
export const PEOPLE = words(`
  customer client patient employee user person people contact member student teacher driver passenger guest subscriber applicant candidate
  recipient sender beneficiary tenant donor buyer seller shopper cardholder holder author actor player voter citizen resident visitor
  parent mother father child spouse guardian teacher director doctor nurse physician manager supervisor staff worker lead participant subject attendee
  cliente paciente empleado funcionario usuario pessoa persona aluno alumno kunde kunden patienten mitarbeiter benutzer personne
  salarie utilisateur dipendente utente paziente klient pacjent pracownik osoba uzytkownik klant billing shipping delivery
  customers clients patients employees users persons contacts members students teachers drivers passengers guests subscribers crm hr`);

/** Words that turn a column into something about the data, not the data: `email_verified`, `phone_type`, `address_id`. */
export const ABOUT = words(`
  id ids key fk pk sk type types kind count counts cnt flag is has status state valid validated verified verification confirmed opt optin optout
  enabled allowed date time timestamp ts updated created modified changed length len size score rate pct percent ratio amount total price
  cost fee domain format version provider template subject campaign country source reason expires expiry expiration expire exp set class
  category level brand error required preference policy bounce bounced click clicked open opened sent delivered index rank weight
  used uses usage reset attempts attempt limit expired hashed encrypted masked anonymized year month lang language
  quality likelihood model make carrier operator vendor file path table column schema prefix suffix checksum zone timezone mask gateway subnet port protocol
  tipo data quantidade fecha estado datum typ anzahl statut liczba url uri avg mean sum min max std median diff share lag delta`);

/** Things that have a name without being a person. */
export const THINGS = words(`
  company product item file host server domain table column field event brand store shop school city country state region county
  department team project category campaign channel app application service process job class method function package module
  dataset model vendor bank hotel airline airport station street road river business organization organisation institution agency
  program course subject variable metric parameter tag role group network device machine plant species drug game movie film song album
  book title restaurant venue ship vessel vehicle color colour currency language plan tier segment queue topic bucket cluster
  empresa produto producto arquivo cidade ciudad pais firma produkt stadt land entreprise produit ville azienda prodotto citta
  source destination target test set sheet layer page menu button theme feature layout common scientific account invoice order payment transaction contract supplier code hub warehouse branch party`);

/** Columns that single a person out only together with others; reported for anonymisation, never as a finding. */
export const QUASI_IDENTIFIERS = words(`
  age gender sex city town municipality occupation profession job_title nationality citizenship marital_status education income salary
  country region state idade genero sexo cidade edad ciudad ville geschlecht alter beruf stadt eta citta plec wiek miasto`);
