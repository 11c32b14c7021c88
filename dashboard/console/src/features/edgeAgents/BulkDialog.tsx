/** Several agents into one project; what did not work is told for each, and stays chosen. */
import { Alert, Button, Group, Stack, Table, TagsInput, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Dialog } from "@/components/Dialog";
import { ErrorPanel } from "@/components/ErrorPanel";
import { useToasts } from "@/components/toasts";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import type { EdgeAgentRow, ProjectRow } from "@console/api/shapes";
import { EDGE_AGENTS, EDGE_REFRESH, NAME_MAX } from "@console/components/edgePaths";
import { usePlaces } from "@console/components/place";
import { ProjectSelect } from "@console/components/ProjectSelect";

import { namesOf } from "./names";

interface Result {
  agentId: string;
  serviceId: string | null;
  code: string;
  message: string;
}

interface BulkDialogProps {
  agents: EdgeAgentRow[];
  onClose: (isDone: boolean) => void;
}

export function BulkDialog({ agents, onClose }: BulkDialogProps): ReactElement {
  const { t } = useTranslation("edgeAgents");
  const toasts = useToasts();
  const { current } = usePlaces();
  const [chosen, setProject] = useState<ProjectRow | undefined>();
  const [labels, setLabels] = useState<string[]>([]);
  const [left, setLeft] = useState(() => agents.filter(({ state }) => state === "pending"));
  const [names, setNames] = useState(() => {
    const suggested = namesOf(left);
    return Object.fromEntries(left.map(({ id }, index) => [id, suggested[index] ?? id]));
  });
  const [failures, setFailures] = useState<Record<string, string>>({});
  const project = chosen ?? current;
  const adopt = useChange(
    () =>
      call<{ results: Result[] }>("post", `${EDGE_AGENTS}/adopt`, {
        body: {
          orgId: project?.orgId,
          projectId: project?.id,
          labels,
          items: left.map(({ id }) => ({ agentId: id, name: (names[id] ?? "").trim() })),
        },
      }),
    EDGE_REFRESH,
  );
  const send = (event: FormEvent) => {
    event.preventDefault();
    adopt.mutate(undefined, {
      onSuccess: ({ results }) => {
        const failed = results.filter(({ code }) => code !== "");
        const done = results.length - failed.length;
        if (done > 0) toasts.done(t("adoptedSeveral", { count: done }));
        if (failed.length === 0) {
          onClose(true);
          return;
        }
        setFailures(Object.fromEntries(failed.map((each) => [each.agentId, each.message])));
        setLeft(left.filter(({ id }) => failed.some((each) => each.agentId === id)));
      },
    });
  };
  const passedOver = agents.filter(({ state }) => state !== "pending").length;
  return (
    <Dialog title={t("adoptSeveral")} onClose={() => onClose(false)} size="lg">
      <form onSubmit={send}>
        <Stack gap="sm">
          {passedOver > 0 && <Text size="sm">{t("passedOver", { count: passedOver })}</Text>}
          {left.length === 0 && <Alert color="orange">{t("nothingToAdopt")}</Alert>}
          <ProjectSelect label={t("target")} value={project?.id ?? null} onChange={setProject} />
          <TagsInput
            label={t("labels")}
            description={t("labelsHelp")}
            value={labels}
            onChange={setLabels}
            clearable={false}
          />
          <div className="table-scroll" role="region" aria-label={t("names")} tabIndex={0}>
            <Table>
              <caption className="hidden-text">{t("names")}</caption>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t("shortId")}</Table.Th>
                  <Table.Th>{t("serviceName")}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {left.map((agent) => (
                  <Table.Tr key={agent.id}>
                    <Table.Td>{agent.shortId}</Table.Td>
                    <Table.Td>
                      <TextInput
                        aria-label={t("serviceNameOf", { name: agent.shortId })}
                        required
                        maxLength={NAME_MAX}
                        error={failures[agent.id]}
                        value={names[agent.id] ?? ""}
                        onChange={(event) =>
                          setNames({ ...names, [agent.id]: event.currentTarget.value })
                        }
                      />
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
          <ErrorPanel error={adopt.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={() => onClose(false)}>
              {t("cancel")}
            </Button>
            <Button type="submit" loading={adopt.isPending} disabled={left.length === 0}>
              {t("adopt")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
