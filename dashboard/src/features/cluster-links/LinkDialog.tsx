/** Makes or changes a link: what it needs first, everything else below, and a test of all of it. */
import { Accordion, Alert, Loader, TagsInput, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useGet } from "@/api/hooks";
import type { ClusterLink } from "@/api/shapes";
import { ErrorPanel } from "@/components/ErrorPanel";
import { AtField, useFieldError } from "@/components/fieldErrors";
import { PasswordField } from "@/components/fields";
import { FormDialog } from "@/components/FormDialog";
import { Probe } from "@/components/integration/Probe";
import { settingsOf } from "@/components/integration/kinds";
import { SchemaForm } from "@/components/SchemaForm";
import { isTree, put, type Tree } from "@/lib/changes";
import { schemaAt, type Schema } from "@/lib/schema";

import { ONE, PATH, REFRESH } from "./links";

/** Drawn by hand above. */
const OWN = ["name", "enable", "server", "clientid", "username", "password", "topics"] as const;
const FIRST = ["ssl", "accept"] as const;

interface LinkDialogProps {
  /** Null makes a new one. */
  link: ClusterLink | null;
  onClose: () => void;
}

export function LinkDialog({ link, onClose }: LinkDialogProps): ReactElement {
  const { t } = useTranslation("clusterLinks");
  const schema = useGet("/schemas/configs");
  const cluster = useGet("/cluster");
  const root = schema.data as Schema | undefined;
  const form = schemaAt(root, "cluster.links")?.items;
  const [draft, setDraft] = useState<Tree | null>(null);
  const names = Object.keys(form?.properties ?? {});
  const before: Tree = link === null ? { topics: [] } : settingsOf(link, names);
  const value = draft ?? before;
  const set = (name: string, part: unknown) => setDraft(put(value, name, part));
  const send = () =>
    link === null
      ? call("post", PATH, { body: value })
      : call("put", ONE, { path: { name: link.name }, body: value });
  const others = names.filter((name) => !isIn(OWN, name) && !isIn(FIRST, name));
  return (
    <FormDialog
      title={link === null ? t("add") : t("editOne", { name: link.name })}
      submit={t(link === null ? "create" : "save")}
      done={t("saved")}
      refresh={REFRESH}
      size="xl"
      onSubmit={send}
      onClose={onClose}
    >
      <ErrorPanel error={schema.error} />
      <Alert color="gray">{t("bothSides", { name: cluster.data?.name ?? "" })}</Alert>
      <Basics value={value} isNew={link === null} onChange={set} />
      {form === undefined || root === undefined ? (
        schema.error === null && <Loader aria-label={t("loading")} />
      ) : (
        <>
          <SchemaForm
            schema={form}
            root={root}
            value={value}
            hidden={[...OWN, ...others]}
            onChange={(next) => setDraft(isTree(next) ? next : {})}
          />
          <Accordion variant="separated">
            <Accordion.Item value="advanced">
              <Accordion.Control>{t("advanced")}</Accordion.Control>
              <Accordion.Panel>
                <SchemaForm
                  schema={form}
                  root={root}
                  value={value}
                  hidden={[...OWN, ...FIRST]}
                  onChange={(next) => setDraft(isTree(next) ? next : {})}
                />
              </Accordion.Panel>
            </Accordion.Item>
          </Accordion>
        </>
      )}
      <Probe path="/cluster/links_probe" body={value} />
    </FormDialog>
  );
}

function isIn(names: readonly string[], name: string): boolean {
  return names.includes(name);
}

interface BasicsProps {
  value: Tree;
  isNew: boolean;
  onChange: (name: string, value: unknown) => void;
}

function Basics({ value, isNew, onChange }: BasicsProps): ReactElement {
  const { t } = useTranslation("clusterLinks");
  const text = (name: string) => String(value[name] ?? "");
  const change = (name: string) => (next: string) => onChange(name, next || undefined);
  return (
    <>
      {isNew && (
        <AtField step="name">
          <LinkText name="name" isRequired value={text("name")} onChange={change("name")} />
        </AtField>
      )}
      <AtField step="server">
        <LinkText name="server" isRequired value={text("server")} onChange={change("server")} />
      </AtField>
      <AtField step="clientid">
        <LinkText name="clientid" value={text("clientid")} onChange={change("clientid")} />
      </AtField>
      <AtField step="username">
        <LinkText name="username" value={text("username")} onChange={change("username")} />
      </AtField>
      <PasswordField
        label={t("of.password")}
        isNew
        isRequired={false}
        value={text("password")}
        onChange={change("password")}
      />
      <AtField step="topics">
        <Topics value={value["topics"]} onChange={(topics) => onChange("topics", topics)} />
      </AtField>
    </>
  );
}

interface LinkTextProps {
  name: "name" | "server" | "clientid" | "username";
  isRequired?: boolean;
  value: string;
  onChange: (value: string) => void;
}

function LinkText(props: LinkTextProps): ReactElement {
  const { t } = useTranslation("clusterLinks");
  return (
    <TextInput
      label={t(`of.${props.name}`)}
      description={t(`help.${props.name}`)}
      required={props.isRequired ?? false}
      error={useFieldError()}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

function Topics(props: { value: unknown; onChange: (topics: string[]) => void }): ReactElement {
  const { t } = useTranslation("clusterLinks");
  return (
    <TagsInput
      label={t("of.topics")}
      description={t("help.topics")}
      error={useFieldError()}
      splitChars={[]}
      value={Array.isArray(props.value) ? props.value.map(String) : []}
      onChange={props.onChange}
    />
  );
}
