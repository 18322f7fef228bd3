# Tonight's numbers of an ICB. Needs R 4 and jsonlite.
library(jsonlite)

register <- Sys.getenv("REGISTER_URL", "http://127.0.0.1:8000")
icb <- Sys.getenv("ICB", "QOP")
then <- Sys.getenv("AS_OF", "2026-04-01")

address <- function(path, ...) {
  query <- unlist(list(...))
  values <- vapply(query, URLencode, "", reserved = TRUE)
  paste0(register, path, "?", paste0(names(query), "=", values, collapse = "&"))
}

# A table as it is now, and as it was the last time. Nothing is sent if nothing was written since: a
# HEAD tells.
export <- function(table) {
  from <- address(paste0("/v1/exports/", table, ".csv"), icb = icb)
  file <- paste0(table, ".csv")
  before <- paste0(table, ".before.csv")
  kept <- paste0(table, ".etag")
  etag <- grep("^etag:", curlGetHeaders(from), ignore.case = TRUE, value = TRUE)
  if (file.exists(kept) && identical(readRDS(kept), etag)) {
    message(table, ": nothing new")
  } else {
    if (file.exists(file)) file.rename(file, before)
    download.file(from, file, quiet = TRUE, mode = "wb")
    saveRDS(etag, kept)
  }
  list(
    now = rows_of(file),
    before = rows_of(if (file.exists(before)) before else file)
  )
}

rows_of <- function(file) read.csv(file, na.strings = "", encoding = "UTF-8")

found <- export("innovations")
innovations <- found$now
evidence <- export("evidence")$now

cat(nrow(innovations), "innovations,", nrow(evidence), "pieces of evidence\n")

cat("\nBy theme and status\n")
print(table(innovations$theme, innovations$status))

cat("\nSince the last time\n")
new <- setdiff(innovations$id, found$before$id)
gone <- setdiff(found$before$id, innovations$id)
both <- merge(innovations, found$before, by = "id")
changed <- both$id[both$version.x != both$version.y]
cat("new:", length(new), " changed:", length(changed), " gone:", length(gone), "\n")

cat("\nMonth by month\n")
timeline <- fromJSON(address("/v1/statistics/timeline", icb = icb), flatten = TRUE)$items
print(timeline)

cat("\nAs it was on", then, "\n")
past <- fromJSON(address("/v1/statistics", group_by = "theme", icb = icb, as_of = then))
print(past$items)
cat("kept then:", past$total$kept, "of", past$total$innovations, "\n")
