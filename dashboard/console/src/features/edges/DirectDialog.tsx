/** An edge service at an address: added, or found somewhere else than before. */
import { Alert, Button, Group, PasswordInput, TagsInput, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { FormDialog } from "@/components/FormDialog";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { EdgeConnection, EdgeServiceRow } from "@console/api/shapes";
import { EDGE_REFRESH, EDGES, EDGE_CONNECTION, NAME_MAX } from "@console/components/edgePaths";
import type { Place } from "@console/components/place";

interface Connection {
  address: string;
  username: string;
  password: string;
  certificateSha256: string;
}

const NEW: Connection = { address: "https://", username: "admin", password: "", certificateSha256: "" };

function given(connection: Connection) {
  const { password, ...rest } = connection;
  return { ...rest, ...(password !== "" && { password }) };
}

export function AddDirectDialog({ place, onClose }: { place: Place; onClose: () => void }): ReactElement {
  const { t } = useTranslation("edges");
  const [name, setName] = useState("");
  const [labels, setLabels] = useState<string[]>([]);
  const [connection, setConnection] = useState(NEW);
  return (
    <FormDialog
      title={t("direct.add")}
      submit={t("direct.addIt")}
      done={t("direct.added")}
      refresh={EDGE_REFRESH}
      onSubmit={() =>
        call("post", EDGES, {
          path: { ...place },
          body: { name: name.trim(), labels, ...given(connection) },
        })
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
      <ConnectionFields place={place} value={connection} onChange={setConnection} isNew />
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

export function MoveDialog({ edge, onClose }: { edge: EdgeServiceRow; onClose: () => void }): ReactElement | null {
  const path = { org: edge.orgId, project: edge.projectId, service: edge.id };
  const before = useGet(EDGE_CONNECTION, { path });
  if (before.data === undefined) return null;
  return <MoveForm edge={edge} before={before.data} onClose={onClose} />;
}

interface MoveFormProps {
  edge: EdgeServiceRow;
  before: EdgeConnection;
  onClose: () => void;
}

function MoveForm({ edge, before, onClose }: MoveFormProps): ReactElement {
  const { t } = useTranslation("edges");
  const { address, username, certificateSha256 } = before;
  const [connection, setConnection] = useState({ address, username, certificateSha256, password: "" });
  const path = { org: edge.orgId, project: edge.projectId, service: edge.id };
  return (
    <FormDialog
      title={t("direct.moveOne", { name: edge.name })}
      submit={t("save")}
      done={t("saved")}
      refresh={EDGE_REFRESH}
      onSubmit={() => call("put", EDGE_CONNECTION, { path, body: given(connection) })}
      onClose={onClose}
    >
      {before.problem !== "" && <Alert color="red">{before.problem}</Alert>}
      <ConnectionFields
        place={{ org: edge.orgId, project: edge.projectId }}
        service={edge.id}
        value={connection}
        onChange={setConnection}
      />
    </FormDialog>
  );
}

interface ConnectionFieldsProps {
  place: Place;
  service?: string;
  value: Connection;
  onChange: (value: Connection) => void;
  isNew?: boolean;
}

function ConnectionFields({
  place,
  service,
  value,
  onChange,
  isNew = false,
}: ConnectionFieldsProps): ReactElement {
  const { t } = useTranslation("edges");
  const set = (name: keyof Connection) => (text: string) => onChange({ ...value, [name]: text });
  return (
    <>
      <TextInput
        label={t("direct.address")}
        description={t("direct.addressHelp")}
        name="address"
        required
        value={value.address}
        onChange={(event) => set("address")(event.currentTarget.value)}
      />
      <TextInput
        label={t("direct.username")}
        description={t("direct.usernameHelp")}
        name="username"
        required
        autoComplete="off"
        value={value.username}
        onChange={(event) => set("username")(event.currentTarget.value)}
      />
      <PasswordInput
        label={t("direct.password")}
        description={isNew ? undefined : t("direct.passwordKept")}
        name="password"
        required={isNew}
        autoComplete="new-password"
        value={value.password}
        onChange={(event) => set("password")(event.currentTarget.value)}
      />
      <TextInput
        label={t("direct.fingerprint")}
        description={t("direct.fingerprintHelp")}
        name="certificateSha256"
        value={value.certificateSha256}
        onChange={(event) => set("certificateSha256")(event.currentTarget.value)}
      />
      <Test place={place} service={service} value={value} />
    </>
  );
}

function Test({
  place,
  service,
  value,
}: {
  place: Place;
  service: string | undefined;
  value: Connection;
}): ReactElement {
  const { t } = useTranslation("edges");
  const test = useChange(
    () =>
      call<{ version: string }>("post", `${EDGES}/test`, {
        path: { ...place },
        body: { ...given(value), ...(service !== undefined && { serviceId: service }) },
      }),
    [],
  );
  return (
    <>
      <Group>
        <Button variant="default" loading={test.isPending} onClick={() => test.mutate()}>
          {t("direct.test")}
        </Button>
      </Group>
      <ErrorPanel error={test.error} />
      {test.data !== undefined && (
        <Alert color="teal">{t("direct.works", { version: test.data.version })}</Alert>
      )}
    </>
  );
}
