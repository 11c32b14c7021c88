import { TagsInput, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { call } from "@console/api/client";
import type { EdgeAgentRow, ProjectRow } from "@console/api/shapes";
import { EDGE_AGENT, EDGE_REFRESH, NAME_MAX } from "@console/components/edgePaths";
import { usePlaces } from "@console/components/place";
import { ProjectSelect } from "@console/components/ProjectSelect";

import { nameOf } from "./names";

interface AdoptDialogProps {
  agent: EdgeAgentRow;
  onClose: () => void;
}

/** Name, organization and project: then it is an edge service of that project. */
export function AdoptDialog({ agent, onClose }: AdoptDialogProps): ReactElement {
  const { t } = useTranslation("edgeAgents");
  const { current } = usePlaces();
  const [name, setName] = useState(nameOf(agent));
  const [chosen, setProject] = useState<ProjectRow | undefined>();
  const [labels, setLabels] = useState<string[]>([]);
  const project = chosen ?? current;
  const send = () =>
    call("post", `${EDGE_AGENT}/adopt`, {
      path: { agent: agent.id },
      body: { name: name.trim(), orgId: project?.orgId, projectId: project?.id, labels },
    });
  return (
    <FormDialog
      title={t("adoptOne", { name: agent.shortId })}
      submit={t("adopt")}
      done={t("adopted")}
      refresh={EDGE_REFRESH}
      onSubmit={send}
      onClose={onClose}
    >
      <TextInput
        label={t("serviceName")}
        description={t("serviceNameHelp")}
        required
        maxLength={NAME_MAX}
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <ProjectSelect label={t("target")} value={project?.id ?? null} onChange={setProject} />
      <TagsInput
        label={t("labels")}
        description={t("labelsHelp")}
        value={labels}
        onChange={setLabels}
        clearable={false}
      />
    </FormDialog>
  );
}
