/** Whether logs are taken in, where they are kept, and for how long. */
import {
  Alert,
  Button,
  Card,
  Checkbox,
  Group,
  NativeSelect,
  NumberInput,
  PasswordInput,
  Stack,
  Switch,
  Text,
  TextInput,
  Textarea,
  Title,
} from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { useToasts } from "@/components/toasts";
import { formatBytes } from "@/lib/format";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { LogReceiver } from "@console/api/shapes";

const PATH = "/configuration/log-receiver";
const GIGABYTE = 1 << 30;
// As in the control plane's document.
const DAYS_MAX = 366;
const GIGABYTES_MAX = 16_384;
const LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];
const STORES = ["builtin", "elasticsearch"] as const;

export function LogReceiverCard(): ReactElement {
  const { t } = useTranslation("logReceiver");
  const answer = useGet(PATH);
  return (
    <Card withBorder padding="md">
      <Title order={2} size="h4" mb="sm">
        {t("title")}
      </Title>
      {answer.isPending && <Loading />}
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      {answer.data !== undefined && <LogReceiverForm held={answer.data} />}
    </Card>
  );
}

function LogReceiverForm({ held }: { held: LogReceiver }): ReactElement {
  const { t } = useTranslation("logReceiver");
  const { t: levels } = useTranslation("logs");
  const toasts = useToasts();
  const [draft, setDraft] = useState(held);
  const [password, setPassword] = useState("");
  const change = (part: Partial<LogReceiver>) => setDraft({ ...draft, ...part });
  const { hasPassword: _has, ...server } = draft.elasticsearch;
  const elasticsearch = { ...server, ...(password !== "" && { password }) };
  const { isEnabled, level, retentionDays, retentionBytes, projectBytes, store } = draft;
  const kept = { retentionDays, retentionBytes, projectBytes };
  const body = { isEnabled, level, ...kept, store, elasticsearch };
  const save = useChange(() => call("put", PATH, { body }), [PATH]);
  const send = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(undefined, { onSuccess: () => toasts.done(t("saved")) });
  };
  return (
    <form onSubmit={send}>
      <Stack gap="md">
        {held.problem !== "" && <Alert color="orange">{held.problem}</Alert>}
        <Switch
          label={t("enabled")}
          checked={isEnabled}
          onChange={(event) => change({ isEnabled: event.currentTarget.checked })}
        />
        <div className="form-grid">
          <NativeSelect
            label={t("store")}
            data={STORES.map((name) => ({ value: name, label: t(`stores.${name}`) }))}
            value={store}
            onChange={(event) => change({ store: event.currentTarget.value as typeof store })}
          />
          <NativeSelect
            label={t("level")}
            data={LEVELS.map((name) => ({ value: name, label: levels(`levels.${name}`) }))}
            value={level}
            onChange={(event) => change({ level: event.currentTarget.value as typeof level })}
          />
          <NumberInput
            label={t("days")}
            required
            allowDecimal={false}
            min={1}
            max={DAYS_MAX}
            value={retentionDays}
            onChange={(value) => change({ retentionDays: Number(value) })}
          />
          {store === "builtin" && (
            <NumberInput
              label={t("gigabytes")}
              required
              min={0.1}
              max={GIGABYTES_MAX}
              value={Math.round((retentionBytes / GIGABYTE) * 10) / 10}
              onChange={(value) => change({ retentionBytes: Math.round(Number(value) * GIGABYTE) })}
            />
          )}
          {store === "builtin" && (
            <NumberInput
              label={t("projectGigabytes")}
              required
              min={0}
              max={GIGABYTES_MAX}
              value={Math.round(((projectBytes ?? 0) / GIGABYTE) * 10) / 10}
              onChange={(value) =>
                change({ projectBytes: Math.round(Number(value) * GIGABYTE) || null })
              }
            />
          )}
        </div>
        {held.storedBytes !== null && store === "builtin" && (
          <Text size="sm" c="dimmed">
            {t("stored", { size: formatBytes(held.storedBytes) })}
          </Text>
        )}
        {store !== held.store && <Alert color="blue">{t("moved")}</Alert>}
        {store === "elasticsearch" && (
          <ServerFields
            server={draft.elasticsearch}
            password={password}
            onServer={(part) => change({ elasticsearch: { ...draft.elasticsearch, ...part } })}
            onPassword={setPassword}
          />
        )}
        <ErrorPanel error={save.error} />
        <Group justify="flex-end">
          {store === "elasticsearch" && <TestButton body={elasticsearch} />}
          <Button type="submit" loading={save.isPending}>
            {t("save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

type Server = LogReceiver["elasticsearch"];

interface ServerFieldsProps {
  server: Server;
  password: string;
  onServer: (part: Partial<Server>) => void;
  onPassword: (password: string) => void;
}

function ServerFields({ server, password, onServer, onPassword }: ServerFieldsProps): ReactElement {
  const { t } = useTranslation("logReceiver");
  return (
    <>
      <div className="form-grid">
        <TextInput
          label={t("url")}
          placeholder="https://search.example.com:9200"
          required
          autoComplete="off"
          value={server.url}
          onChange={(event) => onServer({ url: event.currentTarget.value.trim() })}
        />
        <TextInput
          label={t("indexPrefix")}
          required
          autoComplete="off"
          value={server.indexPrefix}
          onChange={(event) => onServer({ indexPrefix: event.currentTarget.value })}
        />
        <TextInput
          label={t("username")}
          autoComplete="off"
          value={server.username}
          onChange={(event) => onServer({ username: event.currentTarget.value })}
        />
        <PasswordInput
          label={t("password")}
          {...(server.hasPassword && { description: t("passwordKept") })}
          autoComplete="new-password"
          value={password}
          onChange={(event) => onPassword(event.currentTarget.value)}
        />
      </div>
      <Textarea
        label={t("ca")}
        description={t("caHelp")}
        autosize
        minRows={2}
        maxRows={8}
        value={server.ca}
        onChange={(event) => onServer({ ca: event.currentTarget.value })}
      />
      <Checkbox
        label={t("verified")}
        checked={server.isVerified}
        onChange={(event) => onServer({ isVerified: event.currentTarget.checked })}
      />
    </>
  );
}

function TestButton({ body }: { body: object }): ReactElement {
  const { t } = useTranslation("logReceiver");
  const toasts = useToasts();
  const test = useChange(() => call("post", `${PATH}/test`, { body }), []);
  const run = () => test.mutate(undefined, { onSuccess: () => toasts.done(t("tested")) });
  return (
    <>
      <ErrorPanel error={test.error} />
      <Button variant="default" loading={test.isPending} onClick={run}>
        {t("test")}
      </Button>
    </>
  );
}
