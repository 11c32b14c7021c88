/** What is asked before an edge service is changed, moved or taken away. */
import { TagsInput, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { ApiError } from "@/lib/apiError";
import { call } from "@console/api/client";
import type { EdgeServiceRow, ProjectRow } from "@console/api/shapes";
import { EDGE, EDGE_REFRESH, NAME_MAX } from "@console/components/edgePaths";
import { ProjectSelect } from "@console/components/ProjectSelect";

import { MoveDialog } from "./DirectDialog";

export type EdgeDialogName = "edit" | "move" | "transfer" | "delete";

export interface OpenEdge {
  name: EdgeDialogName;
  edge: EdgeServiceRow;
}

interface EdgeDialogProps {
  open: OpenEdge | null;
  onClose: () => void;
  /** The edge service is no longer where it was shown. */
  onGone?: () => void;
}

export function EdgeDialog({ open, onClose, onGone }: EdgeDialogProps): ReactElement | null {
  if (open === null) return null;
  const props = { edge: open.edge, onClose, onGone: onGone ?? (() => undefined) };
  switch (open.name) {
    case "edit":
      return <EditDialog {...props} />;
    case "move":
      return <MoveDialog edge={open.edge} onClose={onClose} />;
    case "transfer":
      return <TransferDialog {...props} />;
    case "delete":
      return <DeleteDialog {...props} />;
  }
}

interface OneProps {
  edge: EdgeServiceRow;
  onClose: () => void;
  onGone: () => void;
}

function pathOf({ orgId, projectId, id }: EdgeServiceRow) {
  return { org: orgId, project: projectId, service: id };
}

function EditDialog({ edge, onClose }: OneProps): ReactElement {
  const { t } = useTranslation("edges");
  const [name, setName] = useState(edge.name);
  const [description, setDescription] = useState(edge.description);
  const [labels, setLabels] = useState<string[]>(edge.labels);
  return (
    <FormDialog
      title={t("editOne", { name: edge.name })}
      submit={t("save")}
      done={t("saved")}
      refresh={EDGE_REFRESH}
      onSubmit={() =>
        call("put", EDGE, { path: pathOf(edge), body: { name: name.trim(), description, labels } })
      }
      onClose={onClose}
    >
      <TextInput
        label={t("field.name")}
        required
        maxLength={NAME_MAX}
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextInput
        label={t("field.description")}
        value={description}
        onChange={(event) => setDescription(event.currentTarget.value)}
      />
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

function TransferDialog({ edge, onClose, onGone }: OneProps): ReactElement {
  const { t } = useTranslation("edges");
  const [project, setProject] = useState<ProjectRow | undefined>();
  const send = async () => {
    await call("post", `${EDGE}/transfer`, {
      path: pathOf(edge),
      body: { orgId: project?.orgId, projectId: project?.id },
    });
    onGone();
  };
  return (
    <FormDialog
      title={t("transferOne", { name: edge.name })}
      submit={t("transfer")}
      done={t("transferred")}
      refresh={EDGE_REFRESH}
      onSubmit={send}
      onClose={onClose}
    >
      <Text size="sm">{t(edge.mode === "direct" ? "direct.transferHelp" : "transferHelp")}</Text>
      <ProjectSelect
        label={t("target")}
        value={project?.id ?? null}
        onChange={setProject}
        without={edge.projectId}
      />
    </FormDialog>
  );
}

function DeleteDialog({ edge, onClose, onGone }: OneProps): ReactElement {
  const { t } = useTranslation("edges");
  const [typed, setTyped] = useState("");
  const send = async () => {
    if (typed !== edge.name) throw new ApiError(-1, "OTHER_NAME", t("otherName", { name: edge.name }));
    await call("delete", EDGE, { path: pathOf(edge), body: { name: typed } });
    onGone();
  };
  return (
    <FormDialog
      title={t("deleteOne", { name: edge.name })}
      submit={t("delete")}
      done={t("deleted")}
      refresh={EDGE_REFRESH}
      onSubmit={send}
      onClose={onClose}
    >
      <Text size="sm">{t(edge.mode === "direct" ? "direct.deleteText" : "deleteText")}</Text>
      <TextInput
        label={t("deleteType", { name: edge.name })}
        required
        autoComplete="off"
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
