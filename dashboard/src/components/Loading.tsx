import { Center, Loader } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

export function Loading(): ReactElement {
  const { t } = useTranslation();
  return (
    <Center py="xl">
      <Loader aria-label={t("loading")} />
    </Center>
  );
}
