/** Deletes history: what ended before a time, or so many of the oldest. */
import { NumberInput, SegmentedControl, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { call } from "@console/api/client";
import { usePlace } from "@console/components/place";

import { ALARMS } from "./paths";

const OLDEST_MAX = 50_000;

export function HistoryDialog({ onClose }: { onClose: () => void }): ReactElement {
  const { t } = useTranslation("alarms");
  const place = usePlace();
  const [by, setBy] = useState("time");
  const [time, setTime] = useState("");
  const [oldest, setOldest] = useState(1000);
  const send = () => {
    const query = by === "time" ? { before: new Date(time).toISOString() } : { oldest };
    return call("delete", `${ALARMS}/history`, { path: { ...place }, query });
  };
  return (
    <FormDialog
      title={t("clearHistory.title")}
      submit={t("delete")}
      done={t("deleted")}
      refresh={[ALARMS]}
      onSubmit={send}
      onClose={onClose}
    >
      <SegmentedControl
        aria-label={t("clearHistory.by")}
        data={["time", "number"].map((value) => ({ value, label: t(`clearHistory.${value}`) }))}
        value={by}
        onChange={setBy}
      />
      {by === "time" ? (
        <TextInput
          type="datetime-local"
          label={t("clearHistory.before")}
          required
          value={time}
          onChange={(event) => setTime(event.currentTarget.value)}
        />
      ) : (
        <NumberInput
          label={t("clearHistory.oldest")}
          required
          min={1}
          max={OLDEST_MAX}
          allowDecimal={false}
          value={oldest}
          onChange={(value) => setOldest(Number(value))}
        />
      )}
    </FormDialog>
  );
}
