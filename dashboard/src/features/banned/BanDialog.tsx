import { NumberInput, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { session } from "@/api/session";
import { FormDialog } from "@/components/FormDialog";

const KINDS = [
  "clientid",
  "username",
  "peerhost",
  "clientid_re",
  "username_re",
  "peerhost_net",
] as const;
const MINUTE_MS = 60_000;

export function BanDialog({ onClose }: { onClose: () => void }): ReactElement {
  const { t } = useTranslation("banned");
  const [as, setAs] = useState<string>("clientid");
  const [who, setWho] = useState("");
  const [reason, setReason] = useState("");
  const [minutes, setMinutes] = useState<number | string>("");
  const send = () =>
    call("post", "/banned", {
      body: {
        as,
        who,
        by: session()?.username,
        ...(reason !== "" && { reason }),
        ...(typeof minutes === "number" && {
          until: new Date(Date.now() + minutes * MINUTE_MS).toISOString(),
        }),
      },
    });
  return (
    <FormDialog
      title={t("add.title")}
      submit={t("add.action")}
      done={t("add.done")}
      refresh={["/banned", "/clients"]}
      onSubmit={send}
      onClose={onClose}
    >
      <Select
        label={t("field.kind")}
        data={KINDS.map((kind) => ({ value: kind, label: t(`as.${kind}`) }))}
        value={as}
        allowDeselect={false}
        onChange={(value) => setAs(value ?? "clientid")}
      />
      <TextInput
        label={t("who")}
        description={t(`example.${as}`)}
        required
        value={who}
        onChange={(event) => setWho(event.currentTarget.value)}
      />
      <TextInput
        label={t("reason")}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <NumberInput
        label={t("minutes")}
        description={t("minutesHelp")}
        min={1}
        allowDecimal={false}
        value={minutes}
        onChange={setMinutes}
      />
    </FormDialog>
  );
}
