// Calls everything of java.sql.DatabaseMetaData that takes part in browsing, and reads values with and without the
// binary protocol. Prints one line per answer; a line that begins with FAIL is a failure.

import java.lang.reflect.Method;
import java.sql.*;
import java.util.*;

public class Jdbc {
  public static void main(String[] args) throws Exception {
    Properties properties = new Properties();
    properties.setProperty("user", args[1]);
    properties.setProperty("password", args[2]);
    properties.setProperty("prepareThreshold", "1");
    try (Connection connection = DriverManager.getConnection(args[0], properties)) {
      metadata(connection.getMetaData());
      values(connection);
      cursors(connection);
      transactions(connection);
    }
  }

  static void metadata(DatabaseMetaData about) throws Exception {
    for (Method method : Arrays.stream(DatabaseMetaData.class.getMethods()).sorted(Comparator.comparing(Method::getName)).toList())
      if (method.getParameterCount() == 0)
        try {
          Object answer = method.invoke(about);
          if (answer instanceof ResultSet rows) show(method.getName(), rows);
        } catch (ReflectiveOperationException e) {
          System.out.println("FAIL " + method.getName() + ": " + e.getCause().getMessage());
        }
    String[] all = null;
    ask("getTables", () -> about.getTables(null, "raw", "%", all));
    ask("getTables TABLE", () -> about.getTables(null, null, "%", new String[] {"TABLE"}));
    ask("getColumns", () -> about.getColumns(null, "raw", "sales", "%"));
    ask("getColumns all", () -> about.getColumns(null, "raw", "%", null));
    ask("getPrimaryKeys", () -> about.getPrimaryKeys(null, "raw", "keyed"));
    ask("getIndexInfo", () -> about.getIndexInfo(null, "raw", "keyed", false, false));
    ask("getImportedKeys", () -> about.getImportedKeys(null, "raw", "sales"));
    ask("getExportedKeys", () -> about.getExportedKeys(null, "raw", "keyed"));
    ask("getCrossReference", () -> about.getCrossReference(null, "raw", "keyed", null, "raw", "sales"));
    ask("getBestRowIdentifier", () -> about.getBestRowIdentifier(null, "raw", "keyed", DatabaseMetaData.bestRowSession, true));
    ask("getVersionColumns", () -> about.getVersionColumns(null, "raw", "sales"));
    ask("getTablePrivileges", () -> about.getTablePrivileges(null, "raw", "%"));
    ask("getColumnPrivileges", () -> about.getColumnPrivileges(null, "raw", "sales", "%"));
    ask("getSchemas", () -> about.getSchemas(null, "%"));
    ask("getProcedures", () -> about.getProcedures(null, null, "%"));
    ask("getProcedureColumns", () -> about.getProcedureColumns(null, null, "%", "%"));
    ask("getFunctions", () -> about.getFunctions(null, "raw", "%"));
    ask("getFunctionColumns", () -> about.getFunctionColumns(null, "raw", "%", "%"));
    ask("getUDTs", () -> about.getUDTs(null, "%", "%", null));
  }

  static void values(Connection connection) throws Exception {
    String sql = "select 1::smallint, 2, 3::bigint, 1.5::real, 2.5::double precision, 12.34::numeric(10,2), true, 'text', "
        + "date '2024-01-02', timestamp '2024-01-02 03:04:05.678', timestamptz '2024-01-02 03:04:05+00', "
        + "'4c1aa0ea-3cb2-4e0c-a4a8-6a1ab2a3a5b1'::uuid, [1, 2, null]::int[], ? + 1, ?, ?";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int round = 0; round < 7; round++) { // later ones are binary
        statement.setInt(1, 41);
        statement.setString(2, "it's");
        statement.setTimestamp(3, Timestamp.from(java.time.Instant.parse("2024-01-02T03:04:05Z")));
        try (ResultSet rows = statement.executeQuery()) {
          if (round == 0 || round == 6) show("values " + round, rows);
        }
      }
    }
  }

  static void cursors(Connection connection) throws Exception {
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.setFetchSize(100);
      long sum = 0;
      try (ResultSet rows = statement.executeQuery("select range from range(1000)")) {
        while (rows.next()) sum += rows.getLong(1);
      }
      System.out.println("fetch size: " + sum);
    }
    connection.commit();
    connection.setAutoCommit(true);
  }

  static void transactions(Connection connection) throws Exception {
    try (Statement statement = connection.createStatement()) {
      statement.execute("create table raw.jdbc (n int, t varchar)");
      connection.setAutoCommit(false);
      connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
      try (PreparedStatement insert = connection.prepareStatement("insert into raw.jdbc values (?, ?)")) {
        for (int n = 0; n < 5; n++) {
          insert.setInt(1, n);
          insert.setString(2, "row " + n);
          insert.addBatch();
        }
        System.out.println("batch: " + Arrays.toString(insert.executeBatch()));
      }
      connection.rollback();
      try (ResultSet rows = statement.executeQuery("select count(*) from raw.jdbc")) {
        show("rolled back", rows);
      }
      statement.executeUpdate("insert into raw.jdbc values (1, 'x')");
      Savepoint point = connection.setSavepoint("here");
      try {
        statement.executeQuery("select nope");
      } catch (SQLException e) {
        System.out.println("error: " + e.getSQLState());
      }
      connection.rollback(point);
      connection.commit();
      connection.setAutoCommit(true);
      try (ResultSet rows = statement.executeQuery("select count(*) from raw.jdbc")) {
        show("committed", rows);
      }
      statement.execute("drop table raw.jdbc");
    }
  }

  interface Asked {
    ResultSet get() throws SQLException;
  }

  static void ask(String name, Asked asked) {
    try {
      show(name, asked.get());
    } catch (SQLException e) {
      System.out.println("FAIL " + name + ": " + e.getSQLState() + " " + e.getMessage());
    }
  }

  static void show(String name, ResultSet rows) throws SQLException {
    int columns = rows.getMetaData().getColumnCount();
    List<String> lines = new ArrayList<>();
    while (rows.next()) {
      List<String> line = new ArrayList<>();
      for (int column = 1; column <= columns; column++) line.add(String.valueOf(rows.getObject(column)));
      lines.add(String.join(" | ", line));
    }
    System.out.println(name + ": " + lines.size());
    for (String line : lines.subList(0, Math.min(lines.size(), 8))) System.out.println("  " + line);
  }
}
