import { useTranslation } from "react-i18next";

interface Words {
  resource: (name: string) => string;
  operation: (name: string) => string;
  via: (name: string) => string;
}

/** The control plane's words in the language of the page; one that has no text stays as it is. */
export function useWords(): Words {
  const { t, i18n } = useTranslation("audit");
  const word = (kind: string) => (name: string) => {
    const key = `${kind}.${name}`;
    return i18n.exists(key, { ns: "audit" }) ? t(key) : name;
  };
  return { resource: word("resources"), operation: word("operations"), via: word("ways") };
}
