# One image for both processes: `serve` (the default) and `worker`.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY web/package.json web/
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build -w web \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 # The image has its own Node; the pinned ones are for machines without.
 && rm -rf node_modules/node-linux-* node_modules/node-darwin-* node_modules/node-bin-* node_modules/node-win-*

FROM node:24-bookworm-slim
ENV NODE_ENV=production BOATHOUSE_HTTP_HOST=0.0.0.0 BOATHOUSE_STATE_DIR=/state BOATHOUSE_LOG_FORMAT=json
WORKDIR /app
COPY --from=build /app/package.json /app/boathouse ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/src src
COPY --from=build /app/web/dist web/dist
COPY --from=build /app/examples examples
COPY --from=build /app/container container
RUN mkdir -p /state /project && chown node:node /state /project && ln -s /app/boathouse /usr/local/bin/boathouse
USER node
WORKDIR /project
VOLUME ["/state"]
EXPOSE 8620
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=5 CMD ["node", "/app/container/healthy.ts"]
ENTRYPOINT ["/app/container/start.sh"]
CMD ["serve"]
