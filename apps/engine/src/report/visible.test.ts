import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clip, visible, visibleProse } from "./visible.ts";

describe("visible", () => {
  it("shows escape characters, bidi overrides and zero-width characters", () => {
    expect(visible("\u001b[31m\u202Eexe\u200B\uFEFF\u{E0041}")).toBe(
      "⟨U+001B⟩[31m⟨U+202E⟩exe⟨U+200B⟩⟨U+FEFF⟩⟨U+E0041⟩",
    );
  });

  it("leaves text of any script and emoji alone", () => {
    const text = "größe 顧客 العملاء ₹ 👍 ⚠️ naïve é";
    expect(visible(text)).toBe(text);
  });

  it("leaves no character that acts unseen, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(visible(text))),
    );
  });

  it("makes one line of a sentence with breaks", () => {
    expect(visibleProse("  one\r\n\ttwo\u2028three ")).toBe("one two three");
  });
});

describe("clip", () => {
  it("never cuts a character in two", () => {
    expect(clip("ab👍cd", 4)).toBe("ab…");
    expect(clip("abc", 3)).toBe("abc");
  });
});
