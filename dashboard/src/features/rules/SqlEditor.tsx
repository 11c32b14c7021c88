/** The SQL of a rule: colours, completion, and the node's complaint where it belongs. */
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { SQLDialect, sql as sqlLanguage } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { setDiagnostics } from "@codemirror/lint";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import type { ReactElement } from "react";

import { complete, KEYWORDS, type Vocabulary } from "./completion";
import { offsetOf, type Place } from "./sql";

interface SqlEditorProps {
  /** What screen readers call it. */
  label: string;
  value: string;
  isReadOnly: boolean;
  words: Vocabulary;
  problem: { place: Place; message: string } | null;
  onChange: (sql: string) => void;
}

const DIALECT = SQLDialect.define({
  keywords: KEYWORDS.join(" ").toLowerCase(),
  doubleQuotedStrings: true,
});

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--sql-keyword)", fontWeight: "600" },
  { tag: tags.string, color: "var(--sql-text)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--sql-number)" },
  { tag: tags.comment, color: "var(--mantine-color-dimmed)" },
]);

// The library's own underline is a picture in a data: address, which the page's policy forbids.
const LOOK = EditorView.theme({
  "&": { border: "1px solid var(--line)", borderRadius: "6px", fontSize: "0.875rem" },
  "&.cm-focused": { outline: "2px solid var(--mantine-primary-color-filled)" },
  ".cm-content": {
    fontFamily: "var(--mantine-font-family-monospace)",
    minHeight: "9rem",
    caretColor: "var(--mantine-color-text)",
  },
  ".cm-cursor": { borderLeftColor: "var(--mantine-color-text)" },
  ".cm-scroller": { maxHeight: "24rem", overflow: "auto" },
  ".cm-gutters": {
    background: "var(--page)",
    color: "var(--mantine-color-dimmed)",
    borderRight: "1px solid var(--line)",
  },
  ".cm-lintRange-error": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--mantine-color-error)",
  },
  ".cm-lintPoint-error:after": { borderBottomColor: "var(--mantine-color-error)" },
  ".cm-tooltip": {
    background: "var(--panel)",
    color: "var(--mantine-color-text)",
    border: "1px solid var(--line)",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    background: "var(--mantine-primary-color-filled)",
    color: "white",
  },
  ".cm-completionDetail": { fontStyle: "normal", opacity: "0.9" },
  "& .cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground":
    { background: "var(--sql-selection)" },
});

/**
 * Typing over selected lines is done here: the browser's own way of joining what is left writes a
 * style attribute, which the page's policy forbids, loudly.
 */
const TYPE_OVER = EditorView.domEventHandlers({
  beforeinput: (event, view) => {
    const { from, to, empty } = view.state.selection.main;
    const text = event.data;
    if (event.inputType !== "insertText" || empty || text === null) return false;
    const insert = () => view.state.update(view.state.replaceSelection(text), { userEvent: "input.type" });
    const handlers = view.state.facet(EditorView.inputHandler);
    if (!handlers.some((handle) => handle(view, from, to, text, insert))) view.dispatch(insert());
    return true;
  },
});

function nonce(): Extension {
  const given = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content;
  return given === undefined ? [] : EditorView.cspNonce.of(given);
}

export function SqlEditor(props: SqlEditorProps): ReactElement {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  const { value, problem, label, isReadOnly } = props;
  useEffect(() => {
    if (host.current === null) return undefined;
    const made = new EditorView({
      parent: host.current,
      doc: latest.current.value,
      extensions: [
        nonce(),
        lineNumbers(),
        history(),
        closeBrackets(),
        bracketMatching(),
        sqlLanguage({ dialect: DIALECT }),
        syntaxHighlighting(COLOURS),
        autocompletion({
          icons: false,
          override: [(context) => complete(context, latest.current.words)],
        }),
        EditorView.lineWrapping,
        EditorState.readOnly.of(isReadOnly),
        // Tab goes on to the next field: a keyboard must get out again.
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        EditorView.contentAttributes.of({ "aria-label": label }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) latest.current.onChange(update.state.doc.toString());
        }),
        TYPE_OVER,
        LOOK,
      ],
    });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
  }, [label, isReadOnly]);
  useEffect(() => {
    const shown = view.current;
    if (shown === null || shown.state.doc.toString() === value) return;
    shown.dispatch({ changes: { from: 0, to: shown.state.doc.length, insert: value } });
  }, [value]);
  useEffect(() => {
    const shown = view.current;
    if (shown === null) return;
    const text = shown.state.doc.toString();
    const from = problem === null ? 0 : offsetOf(text, problem.place);
    const word = /^\w+|^./su.exec(text.slice(from))?.[0] ?? "";
    shown.dispatch(
      setDiagnostics(
        shown.state,
        problem === null
          ? []
          : [{ from, to: from + word.length, severity: "error", message: problem.message }],
      ),
    );
  }, [problem]);
  return <div ref={host} />;
}
