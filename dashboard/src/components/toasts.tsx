/**
 * Short messages about what was done, read out by screen readers.
 *
 * They stand in a strip at the end of the page that takes room of its own: whatever lies beneath can
 * be scrolled above it, and dialogs end above it. A failure that went away can be read again from the
 * head of the page.
 */
import { Notification } from "@mantine/core";
import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "@/lib/apiError";

import { useAdvice } from "./ErrorPanel";

export interface Failed {
  id: number;
  title: string;
  text: string;
  /** Milliseconds since 1970. */
  at: number;
}

interface Toast {
  id: number;
  text: string;
  title?: string;
  isError: boolean;
}

interface Toasts {
  done: (text: string) => void;
  failed: (error: unknown) => void;
  /** Failures of this page since it was opened, the latest first. */
  past: readonly Failed[];
  forget: () => void;
}

const SHOWN_MAX = 4;
const PAST_MAX = 20;
// Long enough to be read, and heard, whatever else happens.
const SHOWN_MS = 10_000;
const ERROR_SHOWN_MS = 30_000;
/** How high the strip is; what must end above it asks for that. */
const HEIGHT = "--toasts-height";
const nothing = () => undefined;
const Context = createContext<Toasts>({ done: nothing, failed: nothing, past: [], forget: nothing });
let ids = 0;

export function useToasts(): Toasts {
  return useContext(Context);
}

export function ToastProvider({ children }: { children: ReactNode }): ReactElement {
  const advice = useAdvice();
  const [toasts, setToasts] = useState<Toast[]>([]);
  const [past, setPast] = useState<Failed[]>([]);
  const close = useCallback((id: number) => {
    setToasts((shown) => shown.filter((toast) => toast.id !== id));
  }, []);
  const show = useCallback((toast: Omit<Toast, "id">) => {
    const id = ++ids;
    setToasts((shown) => [...shown.slice(1 - SHOWN_MAX), { ...toast, id }]);
    return id;
  }, []);
  const value = useMemo<Toasts>(
    () => ({
      done: (text) => void show({ text, isError: false }),
      failed: (error) => {
        const shown = ApiError.from(error);
        const words = { title: shown.code, text: `${shown.message} ${advice(shown)}` };
        const id = show({ ...words, isError: true });
        setPast((known) => [{ ...words, id, at: Date.now() }, ...known].slice(0, PAST_MAX));
      },
      past,
      forget: () => setPast([]),
    }),
    [advice, past, show],
  );
  return (
    <Context.Provider value={value}>
      {children}
      <Strip toasts={toasts} close={close} />
    </Context.Provider>
  );
}

function Strip({
  toasts,
  close,
}: {
  toasts: readonly Toast[];
  close: (id: number) => void;
}): ReactElement {
  const strip = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (strip.current === null) return undefined;
    const root = document.documentElement;
    const watch = new ResizeObserver(([entry]) => {
      root.style.setProperty(HEIGHT, `${Math.ceil(entry?.target.clientHeight ?? 0)}px`);
      // What was just pressed stays in sight.
      document.activeElement?.scrollIntoView({ block: "nearest" });
    });
    watch.observe(strip.current);
    return () => watch.disconnect();
  }, []);
  return (
    <div ref={strip} className="toasts" aria-live="polite" role="status">
      {toasts.map((toast) => (
        <OneToast key={toast.id} toast={toast} close={close} />
      ))}
    </div>
  );
}

/** Goes away by itself, not while somebody points at it or is in it. */
function OneToast({ toast, close }: { toast: Toast; close: (id: number) => void }): ReactElement {
  const { t } = useTranslation();
  const [isHeld, setHeld] = useState(false);
  const { id, isError } = toast;
  useEffect(() => {
    if (isHeld) return undefined;
    const timer = setTimeout(() => close(id), isError ? ERROR_SHOWN_MS : SHOWN_MS);
    return () => clearTimeout(timer);
  }, [close, id, isError, isHeld]);
  return (
    <Notification
      color={isError ? "red" : "teal"}
      title={toast.title}
      withBorder
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
      onClose={() => close(id)}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      {toast.text}
    </Notification>
  );
}
