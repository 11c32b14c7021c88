import { Accordion, Alert, Button, Group, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import { addressOf } from "@/components/mqttAddress";
import { NoWebSocket } from "@/components/NoWebSocket";

import { listen, LISTEN_MS, type Captured } from "./capture";
import type { Sample } from "./events";

interface CaptureProps {
  filter: string;
  onChoose: (sample: Sample) => void;
}

type State = "idle" | "connecting" | "listening" | "over";

/** Takes the sample from a message that really comes. */
export function Capture({ filter, onChoose }: CaptureProps): ReactElement {
  const { t } = useTranslation("rules");
  const listeners = useGet("/listeners");
  const [typed, setTyped] = useState<string | null>(null);
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [state, setState] = useState<State>("idle");
  const [error, setError] = useState<string | null>(null);
  const [messages, setMessages] = useState<Captured[]>([]);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const known = addressOf(listeners.data ?? []);
  const url = typed ?? known ?? "";
  const isIdle = state === "idle" || state === "over";
  const start = async () => {
    const mine = new AbortController();
    running.current = mine;
    setMessages([]);
    setError(null);
    setState("connecting");
    try {
      await listen({
        url,
        filter,
        username,
        password,
        signal: mine.signal,
        onSubscribed: () => setState("listening"),
        onMessage: (message) => setMessages((before) => [...before, message]),
      });
    } catch (problem) {
      setError(t("capture.failed", { reason: problem instanceof Error ? problem.message : url }));
    }
    setState("over");
  };
  return (
    <Accordion variant="contained">
      <Accordion.Item value="capture">
        <Accordion.Control>{t("capture.title")}</Accordion.Control>
        <Accordion.Panel>
          <Stack gap="sm">
            <Text size="sm">{t("capture.help", { filter, seconds: LISTEN_MS / 1000 })}</Text>
            {listeners.isSuccess && known === null && <NoWebSocket />}
            <TextInput
              label={t("capture.address")}
              disabled={!isIdle}
              value={url}
              onChange={(event) => setTyped(event.currentTarget.value)}
            />
            <div className="form-grid">
              <TextInput
                label={t("field.username")}
                autoComplete="off"
                disabled={!isIdle}
                value={username}
                onChange={(event) => setUsername(event.currentTarget.value)}
              />
              <PasswordInput
                label={t("capture.password")}
                autoComplete="new-password"
                disabled={!isIdle}
                value={password}
                visibilityToggleButtonProps={{ "aria-label": t("showPassword") }}
                onChange={(event) => setPassword(event.currentTarget.value)}
              />
            </div>
            <Group>
              {isIdle ? (
                <Button variant="default" disabled={url === ""} onClick={() => void start()}>
                  {t("capture.start")}
                </Button>
              ) : (
                <Button variant="default" onClick={() => running.current?.abort()}>
                  {t("capture.stop")}
                </Button>
              )}
            </Group>
            <div role="status" aria-label={t("capture.progress")}>
              {state !== "idle" && (
                <Text size="sm">{t(`capture.state.${state}`, { number: messages.length })}</Text>
              )}
              {error !== null && <Alert color="red">{error}</Alert>}
            </div>
            {messages.length > 0 && (
              <ul className="type-cards" aria-label={t("capture.messages")}>
                {messages.map((message) => (
                  <li key={message.id}>
                    <button
                      type="button"
                      className="type-card"
                      onClick={() => onChoose(message.sample)}
                    >
                      <Text size="sm" fw={600} className="wrap">
                        {message.topic}
                      </Text>
                      <Text size="xs" lineClamp={2} className="wrap">
                        {message.payload}
                      </Text>
                    </button>
                  </li>
                ))}
              </ul>
            )}
          </Stack>
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}
