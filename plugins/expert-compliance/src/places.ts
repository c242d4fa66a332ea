/** Where data are, as Chapter V of the GDPR sees it. */
export type Place = "eea" | "adequate" | "third" | "unrecognised";

const list = (text: string): ReadonlySet<string> => new Set(text.split(/[,\s]+/).filter(Boolean));

const EEA =
  list(`eu eea europeanunion emea-eu at be bg hr cy cz dk ee fi fr de gr el hu ie it lv lt lu mt nl pl pt ro sk si es se is li no
  austria belgium bulgaria croatia cyprus czechia czechrepublic denmark estonia finland france germany greece hungary ireland italy latvia lithuania
  luxembourg malta netherlands poland portugal romania slovakia slovenia spain sweden iceland liechtenstein norway
  westeurope northeurope francecentral germanywestcentral swedencentral norwayeast polandcentral italynorth spaincentral europe`);

/**
 * Countries with an adequacy decision of the Commission (Article 45). The United States are left out: their decision
 * covers certified organisations only, so that the certification is a safeguard to be named.
 */
const ADEQUATE =
  list(`ad ar ca fo gg il im je jp kr nz ch gb uk uy andorra argentina canada faroeislands guernsey israel isleofman jersey japan korea
  southkorea republicofkorea newzealand switzerland unitedkingdom greatbritain england uruguay uksouth ukwest switzerlandnorth
  eu-west-2 eu-central-2 europe-west2 europe-west6 ap-northeast-1 ap-northeast-2 ap-northeast-3 ca-central-1 ca-west-1 il-central-1
  asia-northeast1 asia-northeast2 asia-northeast3 northamerica-northeast1 northamerica-northeast2 me-west1 japaneast japanwest koreacentral canadacentral canadaeast`);

const THIRD =
  list(`us usa unitedstates unitedstatesofamerica america br brazil brasil in india cn china ru russia au australia sg singapore za southafrica mx mexico
  tr turkey turkiye ua ukraine ae uae unitedarabemirates sa saudiarabia id indonesia my malaysia th thailand vn vietnam ph philippines hk hongkong
  tw taiwan cl chile co colombia pe peru eg egypt ke kenya ng nigeria ma morocco rs serbia global worldwide international
  eastus eastus2 westus westus2 westus3 centralus brazilsouth southeastasia eastasia australiaeast centralindia`);

/** Region names of the large clouds by their first part; exceptions stand in the sets above. */
const CLOUD: [RegExp, Place][] = [
  [/^(eu|europe)-[a-z]+-?\d/, "eea"],
  [/^(us|sa|ap|af|me|cn|mx|ca|il)(-gov)?-[a-z]+-\d/, "third"],
  [/^(us|asia|australia|southamerica|northamerica|me|africa)-[a-z]+\d/, "third"],
];

/** Places named in a text or a list: `[EU, US]`, `eu-central-1`, `Germany and Brazil`. Nothing and `none` give none. */
export function placesOf(texts: readonly string[]): Place[] {
  return texts
    .flatMap((text) => text.split(/[,;/|+]| and | und | e | et |\n/i))
    .map((text) =>
      text
        .replace(/^[\w ]{1,60}:/, "")
        .trim()
        .toLowerCase(),
    )
    .filter((text) => text !== "" && !/^(none|no|false|n\/a|nil|never|keine|nenhuma?|aucun)$/.test(text))
    .map(placeOf);
}

function placeOf(text: string): Place {
  const dashed = text.replace(/[\s_]+/g, "-");
  const joined = text.replace(/[^a-z\d]+/g, "");
  for (const key of [dashed, joined]) {
    if (ADEQUATE.has(key)) return "adequate";
    if (EEA.has(key)) return "eea";
    if (THIRD.has(key)) return "third";
  }
  return CLOUD.find(([pattern]) => pattern.test(dashed))?.[1] ?? "unrecognised";
}
