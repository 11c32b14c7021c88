/** A template with its first version, or a further version of one. */
import { Checkbox, NativeSelect, Table, Text, TextInput, Textarea } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { useToasts } from "@/components/toasts";
import { call, get } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { EdgeTemplateVersion } from "@console/api/shapes";
import { EDGES } from "@console/components/edgePaths";
import { usePlace } from "@console/components/place";

import { KINDS, REFRESH, TEMPLATE, TEMPLATES, parametersOf, type Parameter } from "./paths";

const EXPORT = "/edgeservice/proxy/{service}/api/neuron/global/config";

interface TemplateDialogProps {
  /** Of which it is a further version. */
  of?: { id: string; name: string; content: string; newest: EdgeTemplateVersion };
  onClose: () => void;
  onMade?: (id: string) => void;
}

export function TemplateDialog({ of, onClose, onMade }: TemplateDialogProps): ReactElement {
  const { t } = useTranslation("templates");
  const place = usePlace();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [note, setNote] = useState("");
  const [content, setContent] = useState(of?.content ?? "");
  // What is secret comes as ******, and stays what it was where nobody changes it.
  const [known, setKnown] = useState<Parameter[]>(of?.newest.parameters ?? []);
  const parameters = parametersOf(content, known);
  const change = (changed: Parameter) =>
    setKnown([...known.filter((one) => one.name !== changed.name), changed]);
  const send = async () => {
    if (of === undefined) {
      const made = await call<{ id: string }>("post", TEMPLATES, {
        path: { ...place },
        body: { name: name.trim(), description, note, content, parameters },
      });
      onMade?.(made.id);
    } else {
      await call("post", `${TEMPLATE}/versions`, {
        path: { ...place, template: of.id },
        body: { note, content, parameters },
      });
    }
  };
  return (
    <FormDialog
      title={of === undefined ? t("add") : t("addVersionOf", { name: of.name })}
      submit={of === undefined ? t("create") : t("addVersion")}
      done={t("kept")}
      refresh={REFRESH}
      size="xl"
      onSubmit={send}
      onClose={onClose}
    >
      {of === undefined && (
        <>
          <TextInput
            label={t("field.name")}
            required
            maxLength={200}
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <TextInput
            label={t("field.description")}
            maxLength={1000}
            value={description}
            onChange={(event) => setDescription(event.currentTarget.value)}
          />
        </>
      )}
      <TakenFrom onTaken={setContent} />
      <Textarea
        label={t("content")}
        description={t("contentHelp")}
        required
        autosize
        minRows={8}
        maxRows={20}
        spellCheck={false}
        styles={{ input: { fontFamily: "monospace" } }}
        value={content}
        onChange={(event) => setContent(event.currentTarget.value)}
      />
      {parameters.length > 0 && <Parameters parameters={parameters} onChange={change} />}
      <TextInput
        label={t("note")}
        maxLength={1000}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
    </FormDialog>
  );
}

/** What an edge service has, as the beginning of a template. */
function TakenFrom({ onTaken }: { onTaken: (content: string) => void }): ReactElement {
  const { t } = useTranslation("templates");
  const place = usePlace();
  const toasts = useToasts();
  const edges = useGet(EDGES, { path: { ...place }, query: { size: 1000 } });
  const take = async (service: string) => {
    if (service === "") return;
    try {
      const found = await get<string>(EXPORT, { path: { service } });
      onTaken(JSON.stringify(found, null, 2));
    } catch (error) {
      toasts.failed(error);
    }
  };
  return (
    <NativeSelect
      label={t("takenFrom")}
      description={t("takenFromHelp")}
      data={[
        { value: "", label: "" },
        ...(edges.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name })),
      ]}
      onChange={(event) => void take(event.currentTarget.value)}
    />
  );
}

interface ParametersProps {
  parameters: Parameter[];
  onChange: (parameter: Parameter) => void;
}

function Parameters({ parameters, onChange }: ParametersProps): ReactElement {
  const { t } = useTranslation("templates");
  return (
    <div className="table-scroll" role="region" aria-label={t("parameters")} tabIndex={0}>
      <Text size="sm" fw={500}>
        {t("parameters")}
      </Text>
      <Table>
        <caption className="hidden-text">{t("parameters")}</caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("field.name")}</Table.Th>
            <Table.Th>{t("field.kind")}</Table.Th>
            <Table.Th>{t("default")}</Table.Th>
            <Table.Th>{t("secret")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {parameters.map((one) => (
            <Table.Tr key={one.name}>
              <Table.Td>{one.name}</Table.Td>
              <Table.Td>
                <NativeSelect
                  aria-label={t("kindOf", { name: one.name })}
                  data={KINDS.map((kind) => ({ value: kind, label: t(`kinds.${kind}`) }))}
                  value={one.kind}
                  onChange={(event) => {
                    const kind = KINDS.find((each) => each === event.currentTarget.value);
                    onChange({ ...one, kind: kind ?? "text" });
                  }}
                />
              </Table.Td>
              <Table.Td>
                <TextInput
                  aria-label={t("defaultOf", { name: one.name })}
                  type={one.isSecret ? "password" : "text"}
                  autoComplete="off"
                  value={one.default ?? ""}
                  onChange={(event) =>
                    onChange({ ...one, default: event.currentTarget.value || null })
                  }
                />
              </Table.Td>
              <Table.Td>
                <Checkbox
                  aria-label={t("secretOf", { name: one.name })}
                  checked={one.isSecret}
                  onChange={(event) => onChange({ ...one, isSecret: event.currentTarget.checked })}
                />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
