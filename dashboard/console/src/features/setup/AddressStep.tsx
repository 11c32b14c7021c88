import { Button, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { AddressForm } from "@console/components/AddressForm";

import { setUnderWay } from "./steps";

/** What the browser itself uses is there already, and works for people at least. */
export function AddressStep(): ReactElement {
  const { t } = useTranslation("setup");
  const finish = () => setUnderWay("mail");
  return (
    <>
      <Text size="sm" c="dimmed">
        {t("address.help")}
      </Text>
      <AddressForm
        initial={window.location.origin}
        submit={t("address.finish")}
        onSaved={finish}
        others={
          <Button variant="subtle" onClick={finish}>
            {t("address.later")}
          </Button>
        }
      />
    </>
  );
}
