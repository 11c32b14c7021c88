import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { switchLanguage } from "@/i18n";

/** Offers the other language, in that language's own words. */
export function LanguageButton(): ReactElement {
  const { i18n } = useTranslation();
  const isChinese = i18n.language === "zh";
  return (
    <Button
      variant="default"
      px="sm"
      lang={isChinese ? "en" : "zh-CN"}
      onClick={() => void switchLanguage(isChinese ? "en" : "zh")}
    >
      {isChinese ? "English" : "中文"}
    </Button>
  );
}
