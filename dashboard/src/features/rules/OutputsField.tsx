/** What is done with each row: published again, written to the log, handed to actions. */
import { Button, Card, Group, Select, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import type { RuleOutput } from "@/api/shapes";
import { BridgeDialog } from "@/components/integration/BridgeDialog";
import { idOf } from "@/components/integration/kinds";
import { StateBadge } from "@/components/integration/StateBadge";
import { RowButton } from "@/components/RowButtons";
import type { Tree } from "@/lib/changes";

import { functionOf, isAction, targetOf } from "./outputs";
import { RepublishDialog } from "./RepublishDialog";

interface OutputsFieldProps {
  outputs: readonly RuleOutput[];
  isReadOnly: boolean;
  onChange: (outputs: RuleOutput[]) => void;
}

type Open = { dialog: "republish"; index: number | null } | { dialog: "action" };

export function OutputsField({ outputs, isReadOnly, onChange }: OutputsFieldProps): ReactElement {
  const { t } = useTranslation("rules");
  const actions = useGet("/actions");
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const add = (output: RuleOutput) => onChange([...outputs, output]);
  const known = actions.data ?? [];
  const free = known.map(idOf).filter((id) => !outputs.includes(id));
  const edited = open?.dialog === "republish" && open.index !== null ? outputs[open.index] : null;
  const keep = (args: Tree) => {
    const next: RuleOutput = { function: "republish", args };
    const at = open?.dialog === "republish" ? open.index : null;
    if (at === null) add(next);
    else onChange(outputs.map((old, index) => (index === at ? next : old)));
  };
  return (
    <Card withBorder>
      <Stack gap="sm">
        <div>
          <Title order={2} size="h5">
            {t("outputs.title")}
          </Title>
          <Text size="sm" c="dimmed">
            {t(outputs.length === 0 ? "outputs.none" : "outputs.help")}
          </Text>
        </div>
        {outputs.length > 0 && (
          <ul className="output-list" aria-label={t("outputs.title")}>
            {outputs.map((output, index) => {
              const row = isAction(output) ? known.find((each) => idOf(each) === output) : undefined;
              return (
                <li key={index}>
                  <Group justify="space-between" gap="xs">
                    <div className="grow">
                      <Text size="xs" c="dimmed">
                        {t(`outputs.kind.${functionOf(output)}`)}
                      </Text>
                      <Text size="sm" className="wrap">
                        {targetOf(output) || t("outputs.log")}
                      </Text>
                    </div>
                    {row !== undefined && <StateBadge row={row} />}
                    {!isReadOnly && functionOf(output) === "republish" && (
                      <RowButton
                        text={t("edit")}
                        label={t("editOne", { name: targetOf(output) })}
                        onClick={() => setOpen({ dialog: "republish", index })}
                      />
                    )}
                    {!isReadOnly && (
                      <RowButton
                        text={t("outputs.remove")}
                        label={t("outputs.removeOne", {
                          name: targetOf(output) || t("outputs.log"),
                        })}
                        isDanger
                        onClick={() => onChange(outputs.filter((_, at) => at !== index))}
                      />
                    )}
                  </Group>
                </li>
              );
            })}
          </ul>
        )}
        {!isReadOnly && (
          <Group gap="xs" align="flex-end">
            <Select
              label={t("outputs.addAction")}
              placeholder={t(free.length === 0 ? "outputs.noAction" : "outputs.choose")}
              data={free}
              value={null}
              disabled={free.length === 0}
              onChange={(id) => id !== null && add(id)}
            />
            <Button variant="default" onClick={() => setOpen({ dialog: "action" })}>
              {t("outputs.newAction")}
            </Button>
            <Button
              variant="default"
              onClick={() => setOpen({ dialog: "republish", index: null })}
            >
              {t("outputs.republish")}
            </Button>
            <Button variant="default" onClick={() => add({ function: "console" })}>
              {t("outputs.console")}
            </Button>
          </Group>
        )}
      </Stack>
      {open?.dialog === "republish" && (
        <RepublishDialog
          args={edited !== null && edited !== undefined && !isAction(edited) ? (edited.args ?? {}) : null}
          onDone={keep}
          onClose={close}
        />
      )}
      {open?.dialog === "action" && (
        <BridgeDialog kind="actions" row={null} onMade={add} onClose={close} />
      )}
    </Card>
  );
}
