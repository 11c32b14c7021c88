/** What holds for the texts of every application; called by its test. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

type Texts = Record<string, unknown>;

function textsOf(folder: string): Record<string, Texts> {
  return Object.fromEntries(
    readdirSync(folder).map((file) => [
      file.replace(".json", ""),
      JSON.parse(readFileSync(join(folder, file), "utf-8")) as Texts,
    ]),
  );
}

function keysOf(texts: Texts, above = ""): string[] {
  return Object.entries(texts).flatMap(([key, value]) =>
    typeof value === "string" ? [above + key] : keysOf(value as Texts, `${above}${key}.`),
  );
}

function placeholders(texts: Texts, path: string): string[] {
  let found: unknown = texts;
  for (const step of path.split(".")) found = (found as Texts)[step];
  return [...String(found).matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? "").sort();
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return /(?<!\.test)\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

/** Texts that a source asks for and nobody wrote. */
function missingIn(file: string, en: Record<string, Texts>, common: ReadonlySet<string>): string[] {
  const source = readFileSync(file, "utf-8");
  const namespaces = [...source.matchAll(/useTranslation\("(\w+)"\)/g)].map((m) => m[1] ?? "");
  const known = new Set(namespaces.flatMap((name) => keysOf(en[name] ?? {})));
  return [...source.matchAll(/\bt\(\s*"([\w.]+)"/g)]
    .map((match) => match[1] ?? "")
    .filter((key) => !known.has(key) && !common.has(key))
    .map((key) => `${file}: ${key}`);
}

/** `sources` and its `i18n`; `shared` is where the words are that every application has. */
export function checkTexts(sources: string, shared: string): void {
  const folder = join(sources, "i18n");
  const en = textsOf(join(folder, "en"));
  const zh = textsOf(join(folder, "zh"));

  test("both languages have the same features", () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  });

  describe.each(Object.keys(en))("%s", (feature) => {
    const english = en[feature] ?? {};
    const chinese = zh[feature] ?? {};

    test("has the same keys in both languages", () => {
      expect(keysOf(chinese).sort()).toEqual(keysOf(english).sort());
    });

    test("puts the same values into both", () => {
      for (const key of keysOf(english)) {
        expect([key, placeholders(chinese, key)]).toEqual([key, placeholders(english, key)]);
      }
    });
  });

  test("every text that a page asks for exists", () => {
    const words = textsOf(join(shared, "i18n", "en"))["common"] ?? {};
    const common = new Set([...keysOf(words), ...keysOf(en["common"] ?? {})]);
    expect(sourceFiles(sources).flatMap((file) => missingIn(file, en, common))).toEqual([]);
  });
}
