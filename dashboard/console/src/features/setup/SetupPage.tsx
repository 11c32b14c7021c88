/** The first visit: who administers the system, where it is reached, and what sends its mail. */
import { Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { LoginFrame } from "@/components/LoginFrame";
import type { SetupState } from "@console/api/shapes";

import { AddressStep } from "./AddressStep";
import { AdministratorStep } from "./AdministratorStep";
import { MailStep } from "./MailStep";
import { useSetupSteps } from "./steps";

const STEPS = ["admin", "address", "mail"] as const;

export function SetupPage({ state }: { state: SetupState | undefined }): ReactElement {
  const { t } = useTranslation("setup");
  const { underWay } = useSetupSteps();
  const name = underWay ?? "admin";
  return (
    <LoginFrame title={t("title")} isWide>
      <Text size="sm" fw={650} aria-live="polite">
        {t("step", {
          step: STEPS.indexOf(name) + 1,
          steps: STEPS.length,
          name: t(`${name}.title`),
        })}
      </Text>
      {name === "admin" && <AdministratorStep needsCode={state?.needsCode ?? false} />}
      {name === "address" && <AddressStep />}
      {name === "mail" && <MailStep />}
    </LoginFrame>
  );
}
