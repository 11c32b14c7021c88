import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { queryClient } from "@/lib/query";
import { switchLanguage, type Language } from "@/lib/texts";

async function change(language: Language): Promise<void> {
  await switchLanguage(language);
  // The node writes some texts, too.
  await queryClient.invalidateQueries();
}

/** Offers the other language, in that language's own words. */
export function LanguageButton(): ReactElement {
  const { i18n } = useTranslation();
  const isChinese = i18n.language === "zh";
  return (
    <Button
      variant="default"
      px="sm"
      lang={isChinese ? "en" : "zh-CN"}
      onClick={() => void change(isChinese ? "en" : "zh")}
    >
      {isChinese ? "English" : "中文"}
    </Button>
  );
}
