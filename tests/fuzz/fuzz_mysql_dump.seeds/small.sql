CREATE DATABASE IF NOT EXISTS `z`; USE `z`;
DROP TABLE IF EXISTS `t`;
CREATE TABLE `t` (
  `id` int NOT NULL AUTO_INCREMENT, `n` varchar(20) COLLATE utf8mb4_general_ci DEFAULT 'x', `e` enum('a','b') DEFAULT NULL,
  PRIMARY KEY (`id`,`n`(10)), UNIQUE KEY `u` (`n`), KEY `k` (`e`), CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `o` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB;
/*!40101 SET x */;
INSERT INTO `t` VALUES (1,'O\'H\n',NULL),(-2,'b','a');
INSERT IGNORE INTO `t` (`id`,`n`) VALUES (0x41,_binary 'q');
UNLOCK TABLES;
