/** Rules by which agents are adopted without anybody: the first one that fits decides. */
import { Anchor, Badge, Button, Card, Group, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { EmptyState } from "@/components/EmptyState";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { Page } from "@/components/Page";
import { EditDelete, MoveButtons } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { AdoptionRule } from "@console/api/shapes";
import { RULES } from "@console/components/edgePaths";
import { usePlaces } from "@console/components/place";

import { RuleDialog } from "./RuleDialog";

/** The list with one of them in another place. */
function moved<Row>(rows: readonly Row[], from: number, to: number): Row[] {
  const rest = rows.filter((_, index) => index !== from);
  const row = rows[from];
  return row === undefined ? rest : [...rest.slice(0, to), row, ...rest.slice(to)];
}

export default function RulesPage(): ReactElement {
  const { t } = useTranslation("edgeAgents");
  const { data, error, refetch } = useGet(RULES);
  // The number of the one that is edited; that of none adds one.
  const [edited, setEdited] = useState<number | null>(null);
  const rules = data?.rules ?? [];
  const write = (next: AdoptionRule[]) => call("put", RULES, { body: { rules: next } });
  const replace = useAct<AdoptionRule[]>({ run: write, refresh: [RULES], done: t("saved") });
  const remove = useAct<number>({
    run: (at) => write(rules.filter((_, index) => index !== at)),
    refresh: [RULES],
    done: t("deleted"),
    ask: (at) => ({
      title: t("rules.delete"),
      text: t("rules.deleteText", { name: rules[at]?.name ?? "" }),
      action: t("delete"),
    }),
  });
  return (
    <Page
      title={t("rules.title")}
      help={t("rules.help")}
      actions={<Button onClick={() => setEdited(rules.length)}>{t("rules.add")}</Button>}
    >
      <Anchor component={Link} to="/agents" size="sm">
        {t("rules.back")}
      </Anchor>
      <ErrorPanel error={error} onRetry={() => void refetch()} />
      {data === undefined && error === null && <Loading />}
      {data !== undefined && rules.length === 0 && (
        <Card withBorder padding={0}>
          <EmptyState title={t("rules.none")} text={t("rules.noneText")} />
        </Card>
      )}
      <ol className="plain-list" aria-label={t("rules.title")}>
        {rules.map((rule, index) => (
          <li key={rule.name}>
            <Card withBorder padding="sm" mb="xs">
              <Group justify="space-between">
                <RuleText rule={rule} />
                <Group gap={6}>
                  <MoveButtons
                    name={rule.name}
                    index={index}
                    count={rules.length}
                    onMove={(to) => void replace.act(moved(rules, index, to))}
                  />
                  <EditDelete
                    name={rule.name}
                    onEdit={() => setEdited(index)}
                    onDelete={() => void remove.act(index)}
                  />
                </Group>
              </Group>
            </Card>
          </li>
        ))}
      </ol>
      {edited !== null && (
        <RuleDialog
          rule={rules[edited]}
          taken={rules.filter((_, index) => index !== edited).map(({ name }) => name)}
          onSave={(rule) =>
            write(
              edited < rules.length
                ? rules.map((each, index) => (index === edited ? rule : each))
                : [...rules, rule],
            )
          }
          onClose={() => setEdited(null)}
        />
      )}
    </Page>
  );
}

function RuleText({ rule }: { rule: AdoptionRule }): ReactElement {
  const { t } = useTranslation("edgeAgents");
  const { projects = [] } = usePlaces();
  const project = projects.find(({ id }) => id === rule.projectId);
  const where = project === undefined ? t("rules.gone") : `${project.orgName} / ${project.name}`;
  return (
    <div>
      <Text fw={600} className="wrap">
        {rule.name}{" "}
        {!rule.isEnabled && (
          <Badge color="gray" variant="light" tt="none">
            {t("rules.off")}
          </Badge>
        )}
      </Text>
      <Text size="sm" c="dimmed" className="wrap">
        {t("rules.sentence", {
          description: rule.description || "*",
          hostName: rule.hostName || "*",
          where,
          name: rule.nameTemplate,
        })}
      </Text>
    </div>
  );
}
