import { Button, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { Rule, RuleSet } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { EditDelete } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";

import { RulesDialog } from "./RulesDialog";

export const RULES = "/authorization/sources/built_in_database/rules";
export type Owner = "all" | "users" | "clients";
const OWNERS: readonly Owner[] = ["all", "users", "clients"];

const ownerOf = (row: RuleSet): string => row.username ?? row.clientid ?? "";

/** The rules of the built-in database: of everybody, of users, of clients. */
export function Rules(): ReactElement {
  const { t } = useTranslation("authorization");
  const mayChange = useMayChange();
  const [owner, setOwner] = useState<Owner>("all");
  const [edited, setEdited] = useState<RuleSet | "new" | null>(null);
  const parameter = owner === "users" ? "username" : "clientid";
  const remove = useAct<RuleSet>({
    run: (row) =>
      owner === "all"
        ? call("delete", `${RULES}/all`)
        : call("delete", `${RULES}/${owner}/{${parameter}}`, { path: { [parameter]: ownerOf(row) } }),
    refresh: ["/authorization"],
    done: t("deleted"),
    ask: (row) => ({
      title: t("rule.remove.title"),
      text: t("rule.remove.text", { owner: ownerOf(row) || t("owner.all") }),
      action: t("delete"),
    }),
  });
  const path = `${RULES}/${owner}`;
  return (
    <Stack gap="md">
      <Group>
        <SegmentedControl
          aria-label={t("owner.label")}
          value={owner}
          onChange={(value) => setOwner(value as Owner)}
          data={OWNERS.map((each) => ({ value: each, label: t(`owner.${each}`) }))}
        />
        {mayChange && owner !== "all" && (
          <Button onClick={() => setEdited("new")}>{t("rule.add")}</Button>
        )}
      </Group>
      <DataTable<RuleSet>
        key={owner}
        name={owner}
        label={t(`owner.${owner}`)}
        path={path}
        {...(owner === "all" && { isOrdered: true, rowsOf: (answer: unknown) => [answer as RuleSet] })}
        {...(owner !== "all" && {
          filters: [{ name: `like_${parameter}`, label: t(`field.${parameter}`) }],
        })}
        columns={[
          ...(owner === "all" ? [] : [{ key: parameter, label: t(`field.${parameter}`) }]),
          {
            key: "rules",
            label: t("tab.rules"),
            isUnsorted: true,
            render: (row) => <RuleList rules={row.rules} />,
          },
        ]}
        rowKey={(row) => ownerOf(row)}
        empty={{ title: t("rule.empty.title"), text: t("rule.empty.text") }}
        {...(mayChange && {
          actions: (row: RuleSet) => (
            <EditDelete
              name={ownerOf(row) || t("owner.all")}
              onEdit={() => setEdited(row)}
              onDelete={() => void remove.act(row)}
            />
          ),
        })}
      />
      {edited !== null && (
        <RulesDialog
          owner={owner}
          set={edited === "new" ? null : edited}
          onClose={() => setEdited(null)}
        />
      )}
    </Stack>
  );
}

function RuleList({ rules }: { rules: Rule[] }): ReactElement {
  const { t } = useTranslation("authorization");
  if (rules.length === 0) return <Text size="sm">{t("rule.none")}</Text>;
  return (
    <ol className="rule-list">
      {rules.map((rule, index) => (
        <li key={index}>
          {t(`state.${rule.permission}`)} · {t(`action.${rule.action}`)} ·{" "}
          <span className="wrap">{rule.topic}</span>
        </li>
      ))}
    </ol>
  );
}
