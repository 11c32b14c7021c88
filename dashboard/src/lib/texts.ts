/** Texts, by language and feature; a language is loaded when it is used. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";

export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

const KEY = "rookery.language";
type Texts = Record<string, Record<string, unknown>>;

/** The texts of an application in each language. */
export type Loaders = Record<Language, () => Promise<{ texts: Texts }>>;

let loaders: Loaders | null = null;

/** What was chosen here before, otherwise what the browser prefers. */
export function preferredLanguage(): Language {
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem(KEY);
  } catch {
    // no storage: the browser's preference decides every time
  }
  const wished = chosen === null ? navigator.languages : [chosen];
  for (const tag of wished) {
    const found = LANGUAGES.find((language) => tag.toLowerCase().startsWith(language));
    if (found !== undefined) return found;
  }
  return "en";
}

async function load(language: Language): Promise<void> {
  if (loaders === null) throw new Error("the texts were not started");
  const { texts } = await loaders[language]();
  for (const [feature, words] of Object.entries(texts)) {
    i18next.addResourceBundle(language, feature, words);
  }
}

function announce(language: Language): void {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}

/** Once, before anything is drawn. */
export async function startTexts(from: Loaders): Promise<void> {
  loaders = from;
  const language = preferredLanguage();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    defaultNS: "common",
    fallbackNS: "common",
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
    resources: {},
    showSupportNotice: false,
  });
  await load(language);
  await i18next.changeLanguage(language);
  announce(language);
}

export async function switchLanguage(language: Language): Promise<void> {
  await load(language);
  await i18next.changeLanguage(language);
  announce(language);
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // holds for this page only
  }
}
