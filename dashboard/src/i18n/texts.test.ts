import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const SOURCES = join(import.meta.dirname, "..");
type Texts = Record<string, unknown>;

function textsOf(language: string): Record<string, Texts> {
  const folder = join(import.meta.dirname, language);
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

const en = textsOf("en");
const zh = textsOf("zh");

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

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return /(?<!\.test)\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

test("every text that a page asks for exists", () => {
  const common = new Set(keysOf(en["common"] ?? {}));
  const missing: string[] = [];
  for (const file of sourceFiles(SOURCES)) {
    const source = readFileSync(file, "utf-8");
    const namespaces = [...source.matchAll(/useTranslation\("(\w+)"\)/g)].map((m) => m[1] ?? "");
    const known = new Set(namespaces.flatMap((name) => keysOf(en[name] ?? {})));
    for (const match of source.matchAll(/\bt\(\s*"([\w.]+)"/g)) {
      const key = match[1] ?? "";
      if (!known.has(key) && !common.has(key)) missing.push(`${file}: ${key}`);
    }
  }
  expect(missing).toEqual([]);
});
