import { Button, Card, Group, PasswordInput, Select, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { ConnectionState, ConnectOptions } from "./useMqtt";

interface ConnectFormProps {
  address: string;
  state: ConnectionState;
  onConnect: (options: ConnectOptions) => Promise<void>;
  onDisconnect: () => void;
}

function newClientId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(4));
  return `dashboard_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

export function ConnectForm(props: ConnectFormProps): ReactElement {
  const { t } = useTranslation("websocket");
  const [options, setOptions] = useState<ConnectOptions>(() => ({
    url: props.address,
    clientId: newClientId(),
    username: "",
    password: "",
    version: 5,
    clean: true,
  }));
  const put = (change: Partial<ConnectOptions>) => setOptions({ ...options, ...change });
  const isIdle = props.state === "disconnected";
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (isIdle) void props.onConnect(options);
    else props.onDisconnect();
  };
  return (
    <Card withBorder>
      <form onSubmit={send}>
        <div className="form-grid">
          <TextInput
            label={t("address")}
            required
            disabled={!isIdle}
            value={options.url}
            onChange={(event) => put({ url: event.currentTarget.value })}
          />
          <TextInput
            label={t("field.clientid")}
            disabled={!isIdle}
            value={options.clientId}
            onChange={(event) => put({ clientId: event.currentTarget.value })}
          />
          <TextInput
            label={t("field.username")}
            autoComplete="off"
            disabled={!isIdle}
            value={options.username}
            onChange={(event) => put({ username: event.currentTarget.value })}
          />
          <PasswordInput
            label={t("password")}
            autoComplete="off"
            disabled={!isIdle}
            value={options.password}
            visibilityToggleButtonProps={{ "aria-label": t("showPassword") }}
            onChange={(event) => put({ password: event.currentTarget.value })}
          />
          <Select
            label={t("version")}
            data={[
              { value: "5", label: "MQTT 5.0" },
              { value: "4", label: "MQTT 3.1.1" },
            ]}
            value={String(options.version)}
            disabled={!isIdle}
            allowDeselect={false}
            onChange={(value) => put({ version: value === "4" ? 4 : 5 })}
          />
        </div>
        <Group justify="space-between" mt="md">
          <Switch
            label={t("clean")}
            checked={options.clean}
            disabled={!isIdle}
            onChange={(event) => put({ clean: event.currentTarget.checked })}
          />
          <Button type="submit" color={isIdle ? undefined : "red"} loading={props.state === "connecting"}>
            {isIdle ? t("connect") : t("disconnect")}
          </Button>
        </Group>
      </form>
    </Card>
  );
}
