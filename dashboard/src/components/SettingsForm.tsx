/**
 * The settings below one or more roots of the configuration, drawn from the node's own schema.
 *
 * Only what was changed is sent, so that everything else keeps coming from where it came from.
 */
import { Alert, Button, Card, Group, Loader, Stack } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useChange, useGet } from "@/api/hooks";
import { useMayChange } from "@/api/session";
import { saveSettings } from "@/api/settings";
import { changedPart, emptiedPaths, isTree, nested, type Tree } from "@/lib/changes";
import { schemaAt, type Schema } from "@/lib/schema";

import { ErrorPanel } from "./ErrorPanel";
import { FieldErrors } from "./fieldErrors";
import { SchemaForm } from "./SchemaForm";
import { useToasts } from "./toasts";

interface SettingsFormProps {
  /** Dotted path of the part, such as `mqtt` or `authorization.cache`. */
  path: string;
  hidden?: readonly string[];
}

function partAt(tree: unknown, path: string): Tree {
  let found: unknown = tree;
  for (const step of path.split(".")) found = isTree(found) ? found[step] : undefined;
  return isTree(found) ? found : {};
}

/** Nothing stays nothing: an empty object would be a change. */
function below(path: string, changes: Tree): Tree {
  return Object.keys(changes).length === 0 ? {} : nested(path, changes);
}

export function SettingsForm({ path, hidden }: SettingsFormProps): ReactElement {
  const { t } = useTranslation("schema");
  const toasts = useToasts();
  const mayChange = useMayChange();
  const schema = useGet("/schemas/configs");
  const values = useGet("/configs");
  const [draft, setDraft] = useState<Tree | null>(null);
  // Fields that hold half of something are made anew with the value.
  const [turn, setTurn] = useState(0);
  const change = useChange(
    (wanted: { changes: Tree; emptied: string[] }) => saveSettings(wanted.changes, wanted.emptied),
    ["/configs"],
  );
  const failure = schema.error ?? values.error;
  if (failure !== null) return <ErrorPanel error={failure} onRetry={() => void values.refetch()} />;
  if (schema.data === undefined || values.data === undefined) {
    return <Loader aria-label={t("loading")} />;
  }
  const root = schema.data as Schema;
  const part = schemaAt(root, path);
  const held = partAt(values.data, path);
  const shown = draft ?? held;
  const changes = changedPart(held, shown);
  const emptied = emptiedPaths(held, shown, path);
  const isChanged = Object.keys(changes).length + emptied.length > 0;
  const startAnew = () => {
    setDraft(null);
    setTurn(turn + 1);
  };
  const save = async () => {
    try {
      await change.mutateAsync({ changes: below(path, changes), emptied });
    } catch {
      return;
    }
    startAnew();
    toasts.done(t("saved"));
  };
  if (part === undefined) return <Alert>{t("noSchema")}</Alert>;
  return (
    <Card withBorder maw={900}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Stack gap="md">
          <fieldset disabled={!mayChange} className="plain-fieldset">
            <FieldErrors error={change.error} path={path}>
              <SchemaForm
                key={turn}
                schema={part}
                root={root}
                value={shown}
                onChange={(next) => setDraft(isTree(next) ? next : {})}
                {...(hidden && { hidden })}
              />
            </FieldErrors>
          </fieldset>
          <ErrorPanel error={change.error} />
          {mayChange && (
            <Group justify="flex-end" className="sticky-actions">
              <Button
                variant="default"
                disabled={!isChanged}
                onClick={() => {
                  startAnew();
                  change.reset();
                }}
              >
                {t("discard")}
              </Button>
              <Button type="submit" disabled={!isChanged} loading={change.isPending}>
                {t("save")}
              </Button>
            </Group>
          )}
        </Stack>
      </form>
    </Card>
  );
}
