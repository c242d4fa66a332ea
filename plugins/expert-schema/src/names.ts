/** Words of a column's or table's name in lower case: `customerID` and `customer_id` give the same. Only the leaf of a path counts. */
export function tokensOf(name: string): string[] {
  const leaf =
    name
      .split(".")
      .filter((part) => !/^\[\]$|^(list|element|item)$/.test(part))
      .at(-1) ?? name;
  return leaf
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .replace(/(\p{Ll}|\d)(\p{Lu})/gu, "$1 $2")
    .replace(/(\p{Lu}+)(\p{Lu}\p{Ll})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((token) => token !== "");
}
