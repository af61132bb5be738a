# The image of gap-reconciler: Node, the bundle, its SQL and the packages it runs with; no shell, no package manager, no root.
#
#   docker build --build-arg VERSION=$(node -p 'require("./package.json").version') --build-arg REVISION=$(git rev-parse HEAD) \
#     -t gap-reconciler .
#
# It runs with a read-only root: what it writes goes to /tmp. There is no HEALTHCHECK, as Kubernetes has probes of its own, and
# `GET /healthz` is there for everything else.

# Builds with everything and then throws away what only building needs, so that the lock file decides both.
FROM node:24-bookworm-slim AS build
WORKDIR /src
# First what changes seldom: a change in src/ does not install everything again.
COPY package.json package-lock.json .npmrc ./
RUN ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
COPY scripts/build.mjs ./scripts/build.mjs
COPY src ./src
RUN ["npm", "run", "build"]
RUN ["npm", "prune", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]

# The same Debian and the same Node, without everything around them.
FROM gcr.io/distroless/nodejs24-debian12:nonroot
WORKDIR /app
COPY --from=build /src/node_modules ./node_modules
COPY --from=build /src/dist ./dist
COPY package.json LICENSE ./
COPY sql ./sql

ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="gap-reconciler" \
      org.opencontainers.image.description="Finds and repairs gaps in date-partitioned warehouse tables" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# Its number, as Kubernetes cannot tell from a name that it is not root.
USER 65532:65532
ENV NODE_ENV=production
# The folder to mount pipeline.yaml in: `./pipeline.yaml` is where it is looked for.
WORKDIR /config
# In a container the address of the pod is the one that is asked; which one to listen on is said in the config.
EXPOSE 8080
# The exec form: Node is process 1 and gets SIGTERM itself. Small young generations cost nothing here and keep some 15 MB less when idle.
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=4", "/app/dist/cli.js"]
CMD ["daemon"]
