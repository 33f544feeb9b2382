import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.iceberg.BaseTable;
import org.apache.iceberg.ContentFile;
import org.apache.iceberg.DataFile;
import org.apache.iceberg.DataFiles;
import org.apache.iceberg.DeleteFile;
import org.apache.iceberg.FileMetadata;
import org.apache.iceberg.FileScanTask;
import org.apache.iceberg.ManifestFile;
import org.apache.iceberg.ManifestFiles;
import org.apache.iceberg.PartitionSpec;
import org.apache.iceberg.Table;
import org.apache.iceberg.catalog.Namespace;
import org.apache.iceberg.catalog.TableIdentifier;
import org.apache.iceberg.expressions.Expressions;
import org.apache.iceberg.io.CloseableIterable;
import org.apache.iceberg.jdbc.JdbcCatalog;

/**
 * The Java reference as a peer. Each argument is a metadata file; for each it prints the lines of the files that a scan
 * finds (path, records, sequence number, first row id, deletes), then commits one change of each kind to a copy of the
 * table's pointer and prints where the metadata is then, and what a scan finds there.
 */
public class Peer {
  public static void main(String[] args) throws Exception {
    PrintStream out = new PrintStream(System.out, true, "UTF-8");
    JdbcCatalog catalog = new JdbcCatalog();
    catalog.setConf(new Configuration());
    catalog.initialize("c", Map.of("uri", "jdbc:sqlite:file::memory:?cache=shared", "warehouse", "/tmp", "jdbc.schema-version", "V1", "clients", "1"));
    catalog.createNamespace(Namespace.of("n"));
    int count = 0;
    for (String location : args) {
      Table table = catalog.registerTable(TableIdentifier.of("n", "t" + count++), location);
      out.println("table " + location);
      show(table, out);
      change(table);
      out.println("changed " + ((BaseTable) table).operations().current().metadataFileLocation());
      show(table, out);
    }
    out.println("end");
  }

  static void show(Table table, PrintStream out) throws Exception {
    TreeSet<String> lines = new TreeSet<>();
    if (table.currentSnapshot() != null) {
      try (CloseableIterable<FileScanTask> tasks = table.newScan().includeColumnStats().planFiles()) {
        for (FileScanTask task : tasks) {
          List<String> deletes = new ArrayList<>();
          for (DeleteFile delete : task.deletes()) deletes.add(delete.location());
          deletes.sort(null);
          DataFile file = task.file();
          lines.add(String.join(" ", "file", file.location(), "" + file.recordCount(), "" + file.dataSequenceNumber(),
              "" + file.firstRowId(), String.join(",", deletes)));
        }
      }
      // Every manifest of every snapshot can be read.
      table.snapshots().forEach(snapshot -> {
        for (ManifestFile manifest : snapshot.allManifests(table.io())) {
          CloseableIterable<? extends ContentFile<?>> files =
              manifest.content() == org.apache.iceberg.ManifestContent.DATA
                  ? ManifestFiles.read(manifest, table.io(), table.specs())
                  : ManifestFiles.readDeleteManifest(manifest, table.io(), table.specs());
          for (ContentFile<?> file : files) file.location();
        }
      });
    }
    lines.forEach(out::println);
  }

  static DataFile data(Table table, PartitionSpec spec, String name, int part) {
    return DataFiles.builder(spec).withPath(table.location() + "/data/" + System.nanoTime() + "-" + name).withFormat("parquet")
        .withFileSizeInBytes(100).withRecordCount(5).withPartitionPath(spec.fields().get(0).name() + "=" + part).build();
  }

  static void change(Table table) throws Exception {
    PartitionSpec spec = table.spec();
    int version = ((BaseTable) table).operations().current().formatVersion();
    DataFile one = data(table, spec, "java-1.parquet", 1);
    DataFile two = data(table, spec, "java-2.parquet", 2);
    table.newAppend().appendFile(one).appendFile(two).commit();
    DataFile three = data(table, spec, "java-3.parquet", 1);
    table.newOverwrite().deleteFile(one).addFile(three).commit();
    if (version == 2)
      table.newRowDelta().addDeletes(FileMetadata.deleteFileBuilder(spec).ofPositionDeletes().withPath(table.location() + "/data/java-d.parquet")
          .withFormat("parquet").withFileSizeInBytes(10).withRecordCount(1).withPartitionPath(spec.fields().get(0).name() + "=2")
          .withReferencedDataFile(two.location()).build()).commit();
    if (version == 3)
      table.newRowDelta().addDeletes(FileMetadata.deleteFileBuilder(spec).ofPositionDeletes().withPath(table.location() + "/data/java-d.puffin")
          .withFormat("puffin").withFileSizeInBytes(100).withRecordCount(1).withPartitionPath(spec.fields().get(0).name() + "=2")
          .withReferencedDataFile(two.location()).withContentOffset(4).withContentSizeInBytes(40).build()).commit();
    table.newDelete().deleteFromRowFilter(Expressions.equal("p", 0)).commit();
    table.rewriteManifests().clusterBy(file -> "all").commit();
    table.updateSchema().addColumn("java" + System.nanoTime(), org.apache.iceberg.types.Types.StringType.get()).commit();
  }
}
