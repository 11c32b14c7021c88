import { Alert, Button, Group } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { ApiError } from "@/lib/apiError";
import type { Tree } from "@/lib/changes";

interface ProbeProps {
  /** The operation that tries settings. */
  path: string;
  /** What would be created. */
  body: Tree;
}

type Outcome = { isGood: true } | { isGood: false; reason: string };

/** Tries the settings before they are saved, and says what the other side answered. */
export function Probe({ path, body }: ProbeProps): ReactElement {
  const { t } = useTranslation("integration");
  const [isBusy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const run = async () => {
    setBusy(true);
    setOutcome(null);
    try {
      await call("post", path, { body });
      setOutcome({ isGood: true });
    } catch (error) {
      setOutcome({ isGood: false, reason: ApiError.from(error).message });
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Group>
        <Button variant="default" loading={isBusy} onClick={() => void run()}>
          {t("probe.action")}
        </Button>
      </Group>
      {outcome !== null && (
        <Alert
          role="status"
          color={outcome.isGood ? "teal" : "red"}
          title={t(outcome.isGood ? "probe.good" : "probe.bad")}
        >
          {!outcome.isGood && <span className="wrap">{outcome.reason}</span>}
        </Alert>
      )}
    </>
  );
}
