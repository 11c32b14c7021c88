/** The first visit: who administers the system, and where it is reached. */
import { Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { LoginFrame } from "@/components/LoginFrame";
import type { SetupState } from "@console/api/shapes";

import { AddressStep } from "./AddressStep";
import { AdministratorStep } from "./AdministratorStep";
import { useSetupSteps } from "./steps";

const STEPS = 2;

export function SetupPage({ state }: { state: SetupState | undefined }): ReactElement {
  const { t } = useTranslation("setup");
  const { isUnderWay } = useSetupSteps();
  const step = isUnderWay ? 2 : 1;
  return (
    <LoginFrame title={t("title")} isWide>
      <Text size="sm" fw={650} aria-live="polite">
        {t("step", { step, steps: STEPS, name: t(step === 1 ? "admin.title" : "address.title") })}
      </Text>
      {step === 1 ? (
        <AdministratorStep needsCode={state?.needsCode ?? false} />
      ) : (
        <AddressStep />
      )}
    </LoginFrame>
  );
}
