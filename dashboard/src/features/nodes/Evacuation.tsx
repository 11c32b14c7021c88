import { Button, Group, NumberInput, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import type { Evacuating } from "@/api/cluster";
import { useMayChange } from "@/api/session";
import { FormDialog } from "@/components/FormDialog";
import { useAct } from "@/components/useAct";

const WAIT_S = 60;
const RATE = 500;

interface EvacuationProps {
  node: string;
  evacuation: Evacuating | undefined;
  refresh: readonly string[];
}

/** Whether a node is being emptied, and how to have that begin and end. */
export function Evacuation({ node, evacuation, refresh }: EvacuationProps): ReactElement {
  const { t } = useTranslation("nodes");
  const mayChange = useMayChange();
  const [isAsking, setAsking] = useState(false);
  const stop = useAct({
    run: () => call("post", "/load_rebalance/{node}/evacuation/stop", { path: { node } }),
    refresh,
    done: t("evacuation.stopped"),
  });
  return (
    <Group mt="xs" gap="xs">
      {evacuation !== undefined && (
        <Text size="sm" c="orange">
          {`${t("evacuation.state")}: `}
          {t("evacuation.left", {
            state: t(`evacuation.states.${evacuation.state}`),
            left: evacuation.stats.current_connected,
            of: evacuation.stats.initial_connected,
          })}
        </Text>
      )}
      {mayChange &&
        (evacuation === undefined ? (
          <Button
            size="compact-sm"
            variant="subtle"
            aria-label={t("evacuation.one", { node })}
            onClick={() => setAsking(true)}
          >
            {t("evacuation.action")}
          </Button>
        ) : (
          <Button
            size="compact-sm"
            variant="subtle"
            aria-label={t("evacuation.stopOne", { node })}
            onClick={() => void stop.act()}
          >
            {t("evacuation.stop")}
          </Button>
        ))}
      {isAsking && (
        <EvacuationDialog node={node} refresh={refresh} onClose={() => setAsking(false)} />
      )}
    </Group>
  );
}

interface EvacuationDialogProps {
  node: string;
  refresh: readonly string[];
  onClose: () => void;
}

function EvacuationDialog({ node, refresh, onClose }: EvacuationDialogProps): ReactElement {
  const { t } = useTranslation("nodes");
  const [wait, setWait] = useState<number | string>(WAIT_S);
  const [rate, setRate] = useState<number | string>(RATE);
  const [redirect, setRedirect] = useState("");
  const body = {
    wait_health_check: Number(wait),
    conn_evict_rate: Number(rate),
    ...(redirect.trim() === "" ? {} : { redirect_to: redirect.trim() }),
  };
  return (
    <FormDialog
      title={t("evacuation.title", { node })}
      submit={t("evacuation.action")}
      done={t("evacuation.done")}
      refresh={refresh}
      onClose={onClose}
      onSubmit={() =>
        call("post", "/load_rebalance/{node}/evacuation/start", { path: { node }, body })
      }
    >
      <Text size="sm">{t("evacuation.text")}</Text>
      <NumberInput label={t("evacuation.wait")} min={0} value={wait} onChange={setWait} />
      <NumberInput label={t("evacuation.rate")} min={1} value={rate} onChange={setRate} />
      <TextInput
        label={t("evacuation.redirect")}
        placeholder="10.0.0.2:1883"
        value={redirect}
        onChange={(event) => setRedirect(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
