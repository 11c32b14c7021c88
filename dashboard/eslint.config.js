import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

// Which part may see which: features → components → lib, and api beside lib. The console (`@console`) and the pages
// of an edge service (`@edge`) are applications of their own: they share components and lib, which know none of them.
const layer = (files, forbidden, message) => ({
  files,
  rules: {
    "no-restricted-imports": ["error", { patterns: [{ group: forbidden, message }] }],
  },
});

const NODE_ONLY = ["@/api/*", "@/app/*", "@/features/*", "@/i18n/*"];

/** An application of its own, beside the dashboard. */
const shares = (name, others) => {
  const foreign = [...NODE_ONLY, ...others];
  const own = (part) => `@${name}/${part}/*`;
  return [
    layer(
      [`${name}/src/app/**`, `${name}/src/main.tsx`],
      foreign,
      "of the dashboard other applications share components and lib",
    ),
    layer(
      [`${name}/src/api/**`, `${name}/src/lib/**`],
      [...foreign, "@/components/*", own("components"), own("features"), own("app")],
      "api and lib see lib only",
    ),
    layer(
      [`${name}/src/components/**`],
      [...foreign, own("features"), own("app")],
      "components know no feature",
    ),
    layer(
      [`${name}/src/features/**`],
      [...foreign, own("features"), own("app"), "../*/**"],
      "a feature imports no other feature: link to its page instead",
    ),
  ];
};

export default tseslint.config(
  { ignores: ["src/api/schema.d.ts", "console/src/api/schema.d.ts", "edge/src/api/schema.d.ts", "node_modules"] },
  ...tseslint.configs.strict,
  {
    files: ["src/**/*.{ts,tsx}", "console/**/*.{ts,tsx}", "edge/**/*.{ts,tsx}"],
    plugins: { "react-hooks": hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      eqeqeq: "error",
      // `const { gone: _gone, ...others }` leaves a member out.
      "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_" }],
      "no-console": "error",
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
      "@typescript-eslint/consistent-type-imports": "error",
    },
  },
  layer(["src/app/**", "src/main.tsx"], ["@console/*", "@edge/*"], "that is another application"),
  layer(
    ["src/lib/**"],
    ["@/api/*", "@/components/*", "@/features/*", "@/app/*", "@console/*", "@edge/*"],
    "lib is pure",
  ),
  layer(
    ["src/api/**"],
    ["@/components/*", "@/features/*", "@/app/*", "@console/*", "@edge/*"],
    "api sees lib only",
  ),
  layer(
    ["src/components/**"],
    ["@/features/*", "@/app/*", "@console/*", "@edge/*"],
    "components know no feature",
  ),
  layer(
    ["src/features/**"],
    ["@/features/*", "@/app/*", "../*/**", "@console/*", "@edge/*"],
    "a feature imports no other feature: link to its page instead",
  ),
  ...shares("console", ["@edge/*"]),
  ...shares("edge", ["@console/*"]),
);
