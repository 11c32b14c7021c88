import { Button, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { AccessAddress } from "@console/api/shapes";
import { AddressForm } from "@console/components/AddressForm";
import { textOf } from "@console/lib/address";

import { setUnderWay } from "./steps";

/** What the browser itself uses works for people at least. */
function own(): string {
  return window.location.origin;
}

export function AddressStep({ proposed }: { proposed: AccessAddress | undefined }): ReactElement {
  const { t } = useTranslation("setup");
  const finish = () => {
    window.location.hash = "#/guide";
    setUnderWay(false);
  };
  return (
    <>
      <Text size="sm" c="dimmed">
        {t("address.help")}
      </Text>
      <AddressForm
        initial={textOf(proposed) || own()}
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
