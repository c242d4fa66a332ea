/** How a contract's value is understood. */
export type FieldType = "text" | "list" | "duration" | "legal_basis" | "flag" | "places";

/** One thing that a rule may ask of a contract. */
export interface Field {
  /** Words for people: "retention policy". */
  label: string;
  type: FieldType;
  /**
   * Dotted paths accepted for it, separated by white space, most usual first; written without separators and in lower case, they match the end of
   * a path in the contract: `servicelevels.retention.period` is found by `retention.period`. A `!` at the end takes no
   * object: `encryption: {in_transit: true}` says nothing about rest.
   */
  aliases: string;
  /** A line for the contract template. */
  example: string;
}

/**
 * Fields of a dataset contract. The names come from contracts as teams write them, from the Open Data Contract Standard 3
 * (`slaProperties`, `customProperties`) and from the Data Contract Specification 1.1 (`servicelevels`, `terms`).
 */
export const FIELDS = {
  controller: {
    label: "controller or owner",
    type: "text",
    aliases: `controller controller.name datacontroller owner.team owner.name owner info.owner team team.name
      responsible steward domain.owner`,
    example: "owner: { team: payments, contact: privacy office }",
  },
  contact: {
    label: "contact of the controller",
    type: "text",
    aliases: `owner.email owner.contact contact contact.email info.contact.email info.contact support dpo
      dataprotectionofficer dpo.email privacycontact`,
    example: "contact: privacy office",
  },
  purpose: {
    label: "purpose of processing",
    type: "list",
    aliases: "purpose purposes processingpurpose purposeofprocessing description.purpose terms.usage finalidade zweck",
    example: "purpose: [billing]",
  },
  legal_basis: {
    label: "legal basis",
    type: "legal_basis",
    aliases: `legalbasis legalbases lawfulbasis legalground legalgrounds lawfulness processingbasis gdprbasis legalbasis.article6
      baselegal rechtsgrundlage gdpr.basis privacy.basis`,
    example:
      "legal_basis: contract   # consent | contract | legal obligation | vital interests | public task | legitimate interests",
  },
  balancing_test: {
    label: "balancing test of the legitimate interests",
    type: "flag",
    aliases: "balancingtest legitimateinterestsassessment legitimateinterestassessment lia",
    example: "legitimate_interests_assessment: LIA-2025-04",
  },
  law_reference: {
    label: "law that obliges",
    type: "text",
    aliases: "lawreference legalobligation legalreference obligation statute publictask",
    example: "legal_reference: tax code, section 147",
  },
  retention: {
    label: "retention policy",
    type: "duration",
    aliases: `retention retentionperiod retentionpolicy retentiondays retentionmonths retentionyears dataretention
      retentiontime retention.period retention.days retention.months retention.years retention.duration
      retention.policy storageperiod retentionlimit ttl ttldays deleteafter aufbewahrung retencao`,
    example: "retention: 24 months",
  },
  consent: {
    label: "consent tracking",
    type: "flag",
    aliases: `consent consenttracking consentmanagement consentrecord consentrecords consentsource consentregister
      consentlog consent.tracking consent.source consent.register consent.records consent.table
      consent.obtained consent.required consentrequired consentcolumn`,
    example: "consent: { tracking: consents.customer_consents, withdrawal: self-service }   # or: consent: not used",
  },
  withdrawal: {
    label: "way to withdraw consent",
    type: "flag",
    aliases: `withdrawal consentwithdrawal consent.withdrawal withdrawalprocess optout consent.optout revocation
      consent.revocation`,
    example: "consent_withdrawal: preference centre, applied within a day",
  },
  article9: {
    label: "condition of Article 9(2)",
    type: "text",
    aliases: `article9 article9condition art9 specialcategorycondition specialcategorybasis
      specialcategories.condition legalbasis.article9 explicitconsent`,
    example: "article_9_condition: explicit consent (9(2)(a))",
  },
  erasure: {
    label: "erasure procedure",
    type: "flag",
    aliases: `erasure erasureprocess erasureprocedure righttoerasure deletion deletionprocess deletionprocedure
      deletionpolicy righttobeforgotten subjectrights.erasure dsr.erasure datasubjectrights erasurerequests`,
    example: "erasure: runbook erase-customer, by customer_id, within 30 days",
  },
  legal_hold: {
    label: "legal hold",
    type: "flag",
    aliases: "legalhold litigationhold hold",
    example: "legal_hold: false",
  },
  legal_hold_reason: {
    label: "reason and end of the legal hold",
    type: "text",
    aliases: "legalholdreason legalhold.reason legalholduntil legalhold.until legalhold.case legalholdcase",
    example: "legal_hold_until: 2027-12-31",
  },
  masking: {
    label: "masking or pseudonymisation",
    type: "flag",
    aliases: `masking masked pseudonymisation pseudonymization pseudonymised pseudonymized anonymisation anonymization
      tokenization tokenisation security.masking privacy.masking dataminimisation dataminimization
      privacybydesign`,
    example: "masking: view customer_masked for everybody but the owner",
  },
  data_subjects: {
    label: "categories of data subjects",
    type: "list",
    aliases: `datasubjects datasubject subjects datasubjectcategories subjectcategories categoriesofdatasubjects
      titulares`,
    example: "data_subjects: [customers]",
  },
  recipients: {
    label: "recipients",
    type: "list",
    aliases: "recipients recipientcategories consumers sharedwith dataconsumers processors disclosedto",
    example: "recipients: [finance]",
  },
  encryption_at_rest: {
    label: "encryption at rest",
    type: "flag",
    aliases: `encryptionatrest storage.encryptionatrest encryption.atrest encryption.rest atrestencryption
      encryptedatrest encryption! encrypted storage.encryption! security.encryption! storage.encrypted`,
    example: "encryption_at_rest: true",
  },
  encryption_in_transit: {
    label: "encryption in transit",
    type: "flag",
    aliases: `encryptionintransit encryption.intransit encryption.transit tls intransitencryption encryptedintransit
      transport.encryption`,
    example: "encryption_in_transit: true",
  },
  access_control: {
    label: "access control",
    type: "flag",
    aliases: `accesscontrol accesscontrols access.roles access.policy access.groups accesspolicy roles rbac
      permissions accessroles security.access security.accesscontrol`,
    example: "access_control: role payments-readers",
  },
  dpia: {
    label: "data protection impact assessment",
    type: "flag",
    aliases: `dpia impactassessment dataprotectionimpactassessment privacyimpactassessment pia ripd dpia.reference
      dpia.status`,
    example: "dpia: DPIA-2025-12   # or: not required, screened 2025-11-03",
  },
  automated_decisions: {
    label: "automated decisions or profiling",
    type: "flag",
    aliases: `automateddecisions automateddecisionmaking profiling automateddecision monitoring.systematic
      systematicmonitoring`,
    example: "automated_decisions: false",
  },
  storage_location: {
    label: "place of storage",
    type: "places",
    aliases: `storage.region storage.location region storageregion storagelocation datalocation dataresidency
      residency hosting hosting.region location servers.region`,
    example: "storage: { region: eu-central-1 }",
  },
  jurisdiction: {
    label: "jurisdiction",
    type: "places",
    aliases: "jurisdiction jurisdictions countries applicablelaw territory",
    example: "jurisdiction: [EU]",
  },
  transfers: {
    label: "transfers to third countries",
    type: "places",
    aliases: `transfers.countries transfers.to transfer.countries transfers transfer internationaltransfers
      thirdcountrytransfers thirdcountries crossbordertransfers crossborder`,
    example: "transfers: none   # or the countries",
  },
  safeguard: {
    label: "safeguard of the transfer (Articles 45, 46 or 49)",
    type: "text",
    aliases: `safeguard safeguards transfersafeguard transfersafeguards transfermechanism transfers.safeguard
      transfers.mechanism transfer.mechanism sccs scc standardcontractualclauses bcr bindingcorporaterules
      adequacydecision`,
    example: "transfer_safeguard: standard contractual clauses 2021/914, module 2",
  },
  contains_personal_data: {
    label: "declaration of personal data",
    type: "flag",
    aliases: "containspii containspersonaldata personaldata pii haspii privacy.containspersonaldata",
    example: "contains_personal_data: true",
  },
} as const satisfies Record<string, Field>;

/** Stable name of a field. */
export type FieldName = keyof typeof FIELDS;
