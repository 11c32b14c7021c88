/** What is looked at, how often it has to be bad, and how bad that is. */
import { Button, Group, NativeSelect, NumberInput, Switch } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { RowButton } from "@/components/RowButtons";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/components/useAct";
import { call } from "@console/api/client";
import type { AlarmRule } from "@console/api/shapes";
import { ListTable } from "@console/components/ListTable";
import { usePlace } from "@console/components/place";

import { RULES } from "./paths";
import { SeverityBadge } from "./SeverityBadge";

const COUNT_MAX = 10;

/** A load is no share of anything. */
const unitOf = (kind: string): string => (kind === "load.high" ? "" : " %");

export function RulesTab({ mayChange }: { mayChange: boolean }): ReactElement {
  const { t } = useTranslation("alarms");
  const path = { ...usePlace() };
  const [edited, setEdited] = useState<AlarmRule | null>(null);
  const reset = useAct({
    run: () => call("delete", RULES, { path }),
    refresh: [RULES],
    done: t("saved"),
    ask: () => ({ title: t("reset.title"), text: t("reset.text"), action: t("reset.action") }),
  });
  return (
    <>
      <ListTable<AlarmRule>
        label={t("tabs.rules")}
        path={RULES}
        isWhole
        pathValues={path}
        columns={[
          { key: "group", label: t("group"), render: (row) => t(`groups.${row.group}`) },
          { key: "name", label: t("name") },
          {
            key: "isEnabled",
            label: t("status"),
            render: (row) => <StatusBadge state={row.isEnabled ? "enabled" : "disabled"} />,
          },
          { key: "triggers", label: t("triggers"), isNumber: true },
          { key: "recoveries", label: t("recoveries"), isNumber: true },
          {
            key: "threshold",
            label: t("threshold"),
            render: (row) => (row.threshold === null ? "–" : `≥ ${row.threshold}${unitOf(row.kind)}`),
          },
          {
            key: "severity",
            label: t("severity"),
            render: (row) => <SeverityBadge severity={row.severity} />,
          },
        ]}
        rowKey={(row) => row.kind}
        empty={{ title: t("tabs.rules"), text: "" }}
        {...(mayChange && {
          tools: (
            <Button variant="default" onClick={() => void reset.act(undefined)}>
              {t("reset.action")}
            </Button>
          ),
          actions: (row: AlarmRule) => (
            <RowButton
              text={t("edit")}
              label={t("editOne", { name: row.name })}
              onClick={() => setEdited(row)}
            />
          ),
        })}
      />
      {edited !== null && <RuleDialog rule={edited} onClose={() => setEdited(null)} />}
    </>
  );
}

function RuleDialog({ rule, onClose }: { rule: AlarmRule; onClose: () => void }): ReactElement {
  const { t } = useTranslation("alarms");
  const path = { ...usePlace(), kind: rule.kind };
  const [draft, setDraft] = useState(rule);
  const send = () => {
    const { isEnabled, triggers, recoveries, severity, threshold } = draft;
    const body = { isEnabled, triggers, recoveries, severity, threshold };
    return call("put", `${RULES}/{kind}`, { path, body });
  };
  return (
    <FormDialog
      title={rule.name}
      submit={t("save")}
      done={t("saved")}
      refresh={[RULES]}
      onSubmit={send}
      onClose={onClose}
    >
      <Switch
        label={t("isEnabled")}
        checked={draft.isEnabled}
        onChange={(event) => setDraft({ ...draft, isEnabled: event.currentTarget.checked })}
      />
      <Group grow>
        {(["triggers", "recoveries"] as const).map((name) => (
          <NumberInput
            key={name}
            label={t(name)}
            description={t(`${name}Help`)}
            required
            min={1}
            max={COUNT_MAX}
            allowDecimal={false}
            value={draft[name]}
            onChange={(value) => setDraft({ ...draft, [name]: Number(value) })}
          />
        ))}
      </Group>
      {rule.threshold !== null && (
        <NumberInput
          label={t("threshold")}
          suffix={unitOf(rule.kind)}
          required
          min={1}
          max={100}
          allowDecimal={false}
          value={draft.threshold ?? 1}
          onChange={(value) => setDraft({ ...draft, threshold: Number(value) })}
        />
      )}
      <NativeSelect
        label={t("severity")}
        data={["normal", "critical"].map((value) => ({ value, label: t(`severities.${value}`) }))}
        value={draft.severity}
        onChange={(event) =>
          setDraft({ ...draft, severity: event.currentTarget.value as AlarmRule["severity"] })
        }
      />
    </FormDialog>
  );
}
