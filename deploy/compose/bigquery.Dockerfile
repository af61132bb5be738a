# The BigQuery of `npm run bigquery:local` for docker-compose.yml. It is made for trying, and is never part of the product's image.
FROM node:24-bookworm-slim
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
COPY tsconfig.json ./
COPY src ./src
COPY sql ./sql
COPY scripts ./scripts
COPY test ./test
COPY examples ./examples
USER node
EXPOSE 9050
CMD ["npm", "run", "--silent", "bigquery:local"]
