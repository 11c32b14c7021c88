import { Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { call } from "@console/api/client";
import type { EdgeAgentRow } from "@console/api/shapes";
import { EDGE_AGENT, EDGE_REFRESH } from "@console/components/edgePaths";

const REASON_MAX = 300;

interface RejectDialogProps {
  agent: EdgeAgentRow;
  onClose: () => void;
}

/** It is told why, and does not come again by itself. */
export function RejectDialog({ agent, onClose }: RejectDialogProps): ReactElement {
  const { t } = useTranslation("edgeAgents");
  const [reason, setReason] = useState("");
  return (
    <FormDialog
      title={t("rejectOne", { name: agent.shortId })}
      submit={t("reject")}
      done={t("rejected")}
      refresh={EDGE_REFRESH}
      onSubmit={() =>
        call("post", `${EDGE_AGENT}/reject`, {
          path: { agent: agent.id },
          body: { reason: reason.trim() },
        })
      }
      onClose={onClose}
    >
      <Text size="sm">{t("rejectText")}</Text>
      <TextInput
        label={t("reason")}
        required
        maxLength={REASON_MAX}
        data-autofocus
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
