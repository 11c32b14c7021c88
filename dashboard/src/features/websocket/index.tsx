import { Card, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import { Page } from "@/components/Page";
import { StatusBadge } from "@/components/StatusBadge";

import { ConnectForm } from "./ConnectForm";
import { MessageLog } from "./MessageLog";
import { PublishForm, SubscribeForm } from "./forms";
import { addressOf } from "@/components/mqttAddress";
import { NoWebSocket } from "@/components/NoWebSocket";
import { useMqtt } from "./useMqtt";

/** An MQTT client in the browser, to try the node with. */
export default function WebSocketPage(): ReactElement {
  const { t } = useTranslation("websocket");
  const mqtt = useMqtt();
  const listeners = useGet("/listeners");
  const address = addressOf(listeners.data ?? []);
  const isConnected = mqtt.state === "connected";
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={<StatusBadge state={mqtt.state} />}
    >
      {mqtt.error !== null && (
        <Card withBorder role="alert">
          <Text size="sm">{mqtt.error}</Text>
        </Card>
      )}
      {/* The address is not known before the listeners are; the form starts with it. */}
      {listeners.isSuccess && address === null && <NoWebSocket />}
      {!listeners.isPending && (
        <ConnectForm
          address={address ?? ""}
          state={mqtt.state}
          onConnect={mqtt.connect}
          onDisconnect={mqtt.disconnect}
        />
      )}
      <div className="two-columns">
        <SubscribeForm
          isEnabled={isConnected}
          filters={mqtt.filters}
          onSubscribe={mqtt.subscribe}
          onUnsubscribe={mqtt.unsubscribe}
        />
        <PublishForm isEnabled={isConnected} onPublish={mqtt.publish} />
      </div>
      <MessageLog messages={mqtt.messages} onClear={mqtt.clear} />
    </Page>
  );
}
