/** A rule's text, what is done with its rows, and what it makes of a sample. */
import { Alert, Button, Card, Group, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { ApiError } from "@/lib/apiError";
import { useChange, useGet } from "@/api/hooks";
import { useMayChange } from "@/api/session";
import type { RuleOutput, RuleRow } from "@/api/shapes";
import { ErrorPanel } from "@/components/ErrorPanel";
import { REFRESH } from "@/components/integration/kinds";
import { useToasts } from "@/components/toasts";

import { Examples } from "./Examples";
import { OutputsField } from "./OutputsField";
import { selectedFrom } from "./sql";
import { SqlEditor } from "./SqlEditor";
import { TestPanel } from "./TestPanel";
import { problemIn, useTest } from "./useTest";
import { useVocabulary } from "./useVocabulary";

export interface Draft {
  id: string;
  description: string;
  sql: string;
  enable: boolean;
  actions: readonly RuleOutput[];
}

interface RuleEditorProps {
  /** Null makes a new one. */
  rule: RuleRow | null;
  start: Draft;
  onSaved: (id: string) => void;
}

export function RuleEditor({ rule, start, onSaved }: RuleEditorProps): ReactElement {
  const { t } = useTranslation("rules");
  const mayChange = useMayChange();
  const toasts = useToasts();
  const [draft, setDraft] = useState(start);
  const [error, setError] = useState<unknown>(null);
  const put = (change: Partial<Draft>) => {
    setDraft({ ...draft, ...change });
    setError(null);
  };
  const events = useGet("/rule_events").data ?? [];
  const words = useVocabulary(draft.sql, events);
  const tester = useTest(draft.sql, events, mayChange);
  const save = useChange(async () => {
    const { id, ...body } = draft;
    if (rule === null) {
      const made = await call<RuleRow>("post", "/rules", {
        body: { ...body, ...(id !== "" && { id }) },
      });
      return made.id;
    }
    await call("put", "/rules/{id}", {
      path: { id: rule.id },
      body: { ...body, name: rule.name, metadata: rule.metadata },
    });
    return rule.id;
  }, REFRESH);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setError(null);
    let id: string;
    try {
      id = await save.mutateAsync(undefined);
    } catch (refusal) {
      setError(refusal);
      return;
    }
    toasts.done(t("saved"));
    onSaved(id);
  };
  const refused = error === null ? null : problemIn(ApiError.from(error).message);
  const problem = refused ?? tester.problem;
  return (
    <div className="rule-columns">
      <form onSubmit={(event) => void send(event)}>
        <Stack gap="md">
          <Card withBorder>
            <Stack gap="sm">
              <div className="form-grid">
                {rule === null && (
                  <TextInput
                    label={t("id")}
                    description={t("idHelp")}
                    autoComplete="off"
                    pattern="[0-9A-Za-z_\-]{1,255}"
                    value={draft.id}
                    onChange={(event) => put({ id: event.currentTarget.value })}
                  />
                )}
                <TextInput
                  label={t("field.description")}
                  description={t("descriptionHelp")}
                  readOnly={!mayChange}
                  value={draft.description}
                  onChange={(event) => put({ description: event.currentTarget.value })}
                />
              </div>
              <div>
                <Group justify="space-between" mb={4}>
                  <Text size="sm" fw={500}>
                    {t("sql")}
                  </Text>
                  {mayChange && (
                    <Examples events={events} onChoose={(sql) => put({ sql })} />
                  )}
                </Group>
                <SqlEditor
                  label={t("sql")}
                  value={draft.sql}
                  isReadOnly={!mayChange}
                  words={words}
                  problem={problem}
                  onChange={(sql) => put({ sql })}
                />
                <Text size="xs" c="dimmed" mt={4}>
                  {t("sqlHelp")}
                </Text>
              </div>
              {problem !== null && (
                <Alert color="red" title={t("mistake", { ...problem.place })}>
                  <span className="wrap">{problem.message}</span>
                </Alert>
              )}
            </Stack>
          </Card>
          <OutputsField
            outputs={draft.actions}
            isReadOnly={!mayChange}
            onChange={(actions) => put({ actions })}
          />
          {refused === null && <ErrorPanel error={error} />}
          {mayChange && (
            <Group justify="space-between" className="sticky-actions">
              <Switch
                label={t("field.enabled")}
                checked={draft.enable}
                onChange={(event) => put({ enable: event.currentTarget.checked })}
              />
              <Button type="submit" loading={save.isPending}>
                {t(rule === null ? "create" : "save")}
              </Button>
            </Group>
          )}
        </Stack>
      </form>
      {mayChange && <TestPanel tester={tester} from={selectedFrom(draft.sql)} events={events} />}
    </div>
  );
}
