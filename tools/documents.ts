import GithubSlugger from "github-slugger";
import { fromMarkdown } from "mdast-util-from-markdown";

type Root = ReturnType<typeof fromMarkdown>;
type Parent = Extract<Root["children"][number], { children: unknown[] }>;
type Node = Root | Root["children"][number] | Parent["children"][number];

export interface Link {
  readonly target: string;
  readonly line: number;
}

/** A fenced block; `line` is that of its fence. */
export interface Block {
  readonly language: string;
  readonly text: string;
  readonly line: number;
}

export interface Document {
  readonly links: readonly Link[];
  readonly blocks: readonly Block[];
  /** The ids that its headings get, as GitHub makes them. */
  readonly anchors: ReadonlySet<string>;
}

/** Reads what a Markdown file links to and shows. */
export function readDocument(text: string): Document {
  const slugger = new GithubSlugger();
  const links: Link[] = [];
  const blocks: Block[] = [];
  const anchors = new Set<string>();
  const visit = (node: Node): void => {
    const line = node.position?.start.line ?? 1;
    if (node.type === "link" || node.type === "image" || node.type === "definition") {
      links.push({ target: node.url, line });
    } else if (node.type === "code") blocks.push({ language: node.lang ?? "", text: node.value, line });
    else if (node.type === "heading") anchors.add(slugger.slug(textOf(node)));
    if ("children" in node) for (const child of node.children) visit(child);
  };
  visit(fromMarkdown(text));
  return { links, blocks, anchors };
}

function textOf(node: Node): string {
  if ("value" in node) return node.value;
  return "children" in node ? node.children.map(textOf).join("") : "";
}
