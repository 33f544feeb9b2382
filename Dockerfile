# One image for both processes: `serve` (the default) and `worker`. Alone it is a whole Boathouse with embedded
# records: docker run -p 127.0.0.1:8620:8620 boathouse up --load

FROM node:24-bookworm-slim AS modules
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY web/package.json web/
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund

FROM modules AS web
COPY src/contract src/contract
COPY web web
RUN npm run build -w web

FROM modules AS program
COPY tools/build-program.ts tools/
COPY src src
RUN node tools/build-program.ts

# The image has its own Node; the pinned ones are for machines without.
FROM modules AS production
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/node-* node_modules/@boathouse node_modules/.cache node_modules/.package-lock.json

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title=Boathouse \
      org.opencontainers.image.description="A lakehouse for small data teams in one program" \
      org.opencontainers.image.licenses=Apache-2.0
ENV NODE_ENV=production BOATHOUSE_HTTP_HOST=0.0.0.0 BOATHOUSE_PG_HOST=0.0.0.0 BOATHOUSE_STATE_DIR=/state BOATHOUSE_LOG_FORMAT=json
WORKDIR /app
# Made before they become volumes: a new named volume takes their owner.
RUN mkdir /state /project && chown node:node /state /project && ln -s /app/boathouse /usr/local/bin/boathouse
COPY --from=production /app/node_modules node_modules
COPY --from=web /app/web/dist web/dist
COPY --from=program /app/dist dist
COPY package.json package-lock.json boathouse ./
COPY src src
COPY examples examples
COPY container container
# By number, so that an orchestrator can see that it is not root. 1000 is `node`.
USER 1000:1000
WORKDIR /project
VOLUME ["/state"]
EXPOSE 8620 5439
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=5 CMD ["node", "/app/container/healthy.ts"]
ENTRYPOINT ["/app/container/start.sh"]
CMD ["serve"]
