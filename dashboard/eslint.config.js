import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

// Which part may see which: features → components → lib, and api beside lib.
const layer = (files, forbidden, message) => ({
  files,
  rules: {
    "no-restricted-imports": ["error", { patterns: [{ group: forbidden, message }] }],
  },
});

export default tseslint.config(
  { ignores: ["src/api/schema.d.ts", "node_modules"] },
  ...tseslint.configs.strict,
  {
    files: ["src/**/*.{ts,tsx}"],
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
  layer(["src/lib/**"], ["@/api/*", "@/components/*", "@/features/*", "@/app/*"], "lib is pure"),
  layer(["src/api/**"], ["@/components/*", "@/features/*", "@/app/*"], "api sees lib only"),
  layer(["src/components/**"], ["@/features/*", "@/app/*"], "components know no feature"),
  layer(
    ["src/features/**"],
    ["@/features/*", "@/app/*", "../*/**"],
    "a feature imports no other feature: link to its page instead",
  ),
);
