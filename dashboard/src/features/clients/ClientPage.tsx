import { Button, Card, Tabs } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation, useNavigate } from "react-router";

import { useCapabilities } from "@/api/capabilities";
import { call } from "@/api/client";
import { useGet } from "@/api/hooks";
import { useMayChange } from "@/api/session";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Page } from "@/components/Page";
import { useAct } from "@/components/useAct";
import { segmentOf } from "@/lib/segment";

import { ClientFacts } from "./ClientFacts";
import { ClientSubscriptions } from "./ClientSubscriptions";
import { Messages } from "./Messages";

const EVERY_MS = 5000;

export default function ClientPage(): ReactElement {
  const { t } = useTranslation("clients");
  const clientid = segmentOf(useLocation().pathname, 1);
  const navigate = useNavigate();
  const capabilities = useCapabilities();
  const mayChange = useMayChange();
  const client = useGet("/clients/{clientid}", { path: { clientid }, every: EVERY_MS });
  const kick = useAct({
    run: () => call("delete", "/clients/{clientid}", { path: { clientid } }),
    // The list is asked anew on the way back to it; asking here would only find nobody.
    refresh: [],
    done: t("kick.done"),
    ask: () => ({
      title: t("kick.title"),
      text: t("kick.text", { number: 1, names: clientid }),
      action: t("kick.action"),
    }),
  });
  const has = (operation: string) => capabilities?.has(operation) ?? false;
  return (
    <Page
      title={clientid}
      help={t("detail.help")}
      actions={
        <>
          {mayChange && has("POST /trace") && (
            <Button
              variant="default"
              component={Link}
              to={`/trace?new=clientid&value=${encodeURIComponent(clientid)}`}
            >
              {t("detail.trace")}
            </Button>
          )}
          {mayChange && (
            <Button
              color="red"
              loading={kick.isBusy}
              onClick={() =>
                void kick.act().then((isDone) => {
                  if (isDone) void navigate("/clients");
                })
              }
            >
              {t("kick.action")}
            </Button>
          )}
        </>
      }
    >
      <ErrorPanel error={client.error} onRetry={() => void client.refetch()} />
      {client.data !== undefined && (
        <Tabs defaultValue="facts">
          <Tabs.List mb="md">
            <Tabs.Tab value="facts">{t("detail.facts")}</Tabs.Tab>
            <Tabs.Tab value="subscriptions">{t("detail.subscriptions")}</Tabs.Tab>
            {has("GET /clients/{clientid}/mqueue_messages") && (
              <Tabs.Tab value="mqueue">{t("detail.mqueue")}</Tabs.Tab>
            )}
            {has("GET /clients/{clientid}/inflight_messages") && (
              <Tabs.Tab value="inflight">{t("detail.inflight")}</Tabs.Tab>
            )}
          </Tabs.List>
          <Tabs.Panel value="facts">
            <ClientFacts client={client.data} />
          </Tabs.Panel>
          <Tabs.Panel value="subscriptions">
            <ClientSubscriptions clientid={clientid} />
          </Tabs.Panel>
          <Tabs.Panel value="mqueue">
            <Card withBorder>
              <Messages path="/clients/{clientid}/mqueue_messages" clientid={clientid} />
            </Card>
          </Tabs.Panel>
          <Tabs.Panel value="inflight">
            <Card withBorder>
              <Messages path="/clients/{clientid}/inflight_messages" clientid={clientid} />
            </Card>
          </Tabs.Panel>
        </Tabs>
      )}
    </Page>
  );
}
