/** The one question before something that cannot be taken back. */
import { Button, Group, Modal, Text } from "@mantine/core";
import { createContext, useCallback, useContext, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

interface Question {
  title: string;
  text: string;
  /** What the confirming button says: the verb itself. */
  action: string;
}

type Confirm = (question: Question) => Promise<boolean>;

const Context = createContext<Confirm>(() => Promise.resolve(false));

export function useConfirm(): Confirm {
  return useContext(Context);
}

interface Pending extends Question {
  answer: (agreed: boolean) => void;
}

export function ConfirmProvider({ children }: { children: ReactNode }): ReactElement {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  // Kept while the dialog fades out: a dialog without words could not be read.
  const [pending, setPending] = useState<Pending | null>(null);
  const ask = useCallback<Confirm>(
    (question) =>
      new Promise((answer) => {
        setPending({ ...question, answer });
        setOpen(true);
      }),
    [],
  );
  const close = (agreed: boolean) => {
    pending?.answer(agreed);
    setOpen(false);
  };
  return (
    <Context.Provider value={ask}>
      {children}
      <Modal
        opened={isOpen}
        onClose={() => close(false)}
        title={pending?.title}
        closeButtonProps={{ "aria-label": t("close") }}
        centered
      >
        <Text className="wrap">{pending?.text}</Text>
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={() => close(false)} data-autofocus>
            {t("cancel")}
          </Button>
          <Button color="red" onClick={() => close(true)}>
            {pending?.action}
          </Button>
        </Group>
      </Modal>
    </Context.Provider>
  );
}
